"""Compute a picture in tiles, exactly: each tile sees as far around it as the network does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

MEMORY = 1 << 30  # bytes for a tile and its halo; with weights and pictures a run stays below 2 GB
SMALLEST = 64  # px


@dataclass(frozen=True)
class Span:
    """Pixels `start` to `stop` of a side, and `before` to `after` around them that computing them takes."""

    start: int
    stop: int
    before: int
    after: int


def compute_tiled(
    compute: Callable[[Tensor], Tensor], image: Tensor, *, tile: int, halo: int, scale: int = 1
) -> Tensor:
    """Return `compute(image)`, N C scale*H scale*W, computed in tiles of `tile` x `tile` input pixels.

    `compute` maps N C h w to N C scale*h scale*w, without statistics of the whole picture, and an output pixel depends
    on no input more than `halo` pixels away: then tiles put together equal the whole, up to the order of sums. Padding
    at the picture's border is left to `compute`.
    """
    height, width = image.shape[-2:]
    if tile >= max(height, width):
        return compute(image)
    whole: Tensor | None = None
    for rows in _spans(height, tile, halo):
        for columns in _spans(width, tile, halo):
            made = compute(image[..., rows.before : rows.after, columns.before : columns.after])
            if whole is None:
                whole = made.new_empty(*made.shape[:-2], scale * height, scale * width)
            whole[..., _scaled(rows, scale), _scaled(columns, scale)] = made[
                ..., _inner(rows, scale), _inner(columns, scale)
            ]
    assert whole is not None
    return whole


def tile_side(floats: int, halo: int, dtype: torch.dtype, memory: int = MEMORY) -> int:
    """Return the largest side of tiles that fit `memory` bytes with their halo, in pixels.

    `floats`: how many numbers of `dtype` are alive at once for each input pixel. Never below twice the halo, where it
    costs four times what it surrounds, nor below `SMALLEST`.
    """
    side = math.isqrt(memory // (floats * dtype.itemsize)) - 2 * halo
    return max(side, 2 * halo, SMALLEST)


def _spans(length: int, tile: int, halo: int) -> Iterator[Span]:
    for start in range(0, length, tile):
        stop = min(start + tile, length)
        yield Span(start, stop, max(start - halo, 0), min(stop + halo, length))


def _scaled(span: Span, scale: int) -> slice:
    return slice(scale * span.start, scale * span.stop)


def _inner(span: Span, scale: int) -> slice:
    return slice(scale * (span.start - span.before), scale * (span.stop - span.before))
