"""A large picture in tiles that features can be computed in one by one, exactly: each sees what they depend on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from artkit.seeds import mix_seeds
from artkit_nst.vgg.network import HALO, STRIDES

SIDE = 512  # pixels; with its halo and its gradient a tile takes about a gigabyte
STEP = max(STRIDES.values())  # tiles begin at multiples of it, as the features of the whole picture do


@dataclass(frozen=True)
class Span:
    """Pixels `start` to `stop` of a side of a tile, and `before` to `after`, which they depend on."""

    start: int
    stop: int
    before: int
    after: int

    def features(self, stride: int) -> slice:
        """Return where the features of the tile lie among those of its surroundings."""
        return slice((self.start - self.before) // stride, -(-(self.stop - self.before) // stride))

    def places(self, stride: int) -> slice:
        """Return where they lie among those of the whole picture."""
        return slice(self.start // stride, -(-self.stop // stride))


@dataclass(frozen=True)
class Tile:
    """A rectangle of a picture of `width` pixels across."""

    rows: Span
    columns: Span
    width: int

    @property
    def surroundings(self) -> tuple[slice, slice, slice]:
        """The part of the picture (CHW) that the tile's features depend on."""
        return slice(None), slice(self.rows.before, self.rows.after), slice(self.columns.before, self.columns.after)

    def crop(self, layer: str, features: Tensor) -> Tensor:
        """Cut the tile's own features out of those of its surroundings."""
        return features[:, self.rows.features(STRIDES[layer]), self.columns.features(STRIDES[layer])]

    def part(self, layer: str, features: Tensor) -> Tensor:
        """Cut the tile's own features out of those of the whole picture."""
        return features[:, *self._spans(STRIDES[layer])]

    def places(self, layer: str) -> Tensor:
        """Return the places (N) of the tile's features among all of the layer's, counted row by row."""
        stride = STRIDES[layer]
        down, across = (torch.arange(span.start, span.stop) for span in self._spans(stride))
        return (down[:, None] * -(-self.width // stride) + across).flatten()

    def _spans(self, stride: int) -> tuple[slice, slice]:
        return self.rows.places(stride), self.columns.places(stride)


def cover(size: tuple[int, int], turn: int, side: int = SIDE) -> list[Tile]:
    """Return tiles that cover a picture of (height, width); one, where it is no larger than a tile with its halo.

    Another `turn` puts them elsewhere, so that what little rounding does at their borders never adds up.
    """
    height, width = size
    if height * width <= (side + 2 * HALO) ** 2:
        side = STEP * max(height, width)
    shifts = [mix_seeds(turn, axis) % (side // STEP) * STEP for axis in range(2)] if side < max(size) else [0, 0]
    return [
        Tile(rows, columns, width)
        for rows in _spans(height, side, shifts[0])
        for columns in _spans(width, side, shifts[1])
    ]


def _spans(length: int, side: int, shift: int) -> Iterator[Span]:
    bounds = [0, *range(shift or side, length, side), length]
    for start, stop in pairwise(bounds):
        yield Span(start, stop, max(0, start - HALO), min(length, stop + HALO))
