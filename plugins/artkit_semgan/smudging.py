"""Smudged maps that the refiner trains on: real ones, spoilt as a dream is beside a map that someone drew."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit_semgan.shares import cell_shares

BENDS = ((4, 0.02), (10, 0.018), (24, 0.012))
"""How borders stray: knots a side, and how far in shares of the side."""
BLOBS = 3
"""The most blobs that lie on a map and do not belong there."""
SMALLEST, LARGEST = 0.015, 0.09
"""Their radius, in shares of the side."""
DOUBT = 1.0
"""The standard deviation of the noise on logarithms of shares."""
FLOOR = 1e-3
"""The least share that a class has, so that its logarithm is finite; what is unlikely in a dream is not impossible."""


def smudge(labels: Tensor, classes: int, side: int) -> Tensor:
    """Return smudged label maps N H W as distributions N K `side` `side`.

    Their borders stray, blobs of any class lie about, and each cell is less sure of its class.
    """
    spoilt = bend(scatter_blobs(labels, classes))
    logits = cell_shares(spoilt, classes, side).clamp_min(FLOOR).log()
    sure = torch.empty(len(labels), 1, 1, 1, device=labels.device).uniform_(0.5, 1.5)
    return F.softmax(sure * logits + DOUBT * smooth_noise(logits, side // 4), 1)


def bend(labels: Tensor) -> Tensor:
    """Move every pixel of label maps N H W a little, alike in a neighbourhood: borders come out wavy, corners round."""
    count, height, width = labels.shape
    rows, columns = (torch.linspace(-1, 1, extent, device=labels.device) for extent in (height, width))
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1).expand(count, -1, -1, -1)
    like = labels.new_empty(count, 2, height, width, dtype=torch.float32)
    away = sum(2 * reach * smooth_noise(like, knots) for knots, reach in BENDS)
    assert isinstance(away, Tensor)
    moved = F.grid_sample(
        labels[:, None].float(), places + away.movedim(1, -1), "nearest", padding_mode="border", align_corners=True
    )
    return moved[:, 0].to(labels.dtype)


def scatter_blobs(labels: Tensor, classes: int) -> Tensor:
    """Lay up to `BLOBS` ellipses of a class drawn at random on each of label maps N H W."""
    count, height, width = labels.shape
    rows, columns = (torch.linspace(0, 1, extent, device=labels.device) for extent in (height, width))
    chances = torch.rand(count, BLOBS, 5, device=labels.device)
    kinds = torch.randint(classes, (count, BLOBS), device=labels.device, dtype=labels.dtype)
    radii = SMALLEST * (LARGEST / SMALLEST) ** chances[..., 2:4]
    spoilt = labels
    for blob in range(BLOBS):
        (y, x, *_, there), (tall, wide) = chances[:, blob].T[..., None, None], radii[:, blob].T[..., None, None]
        inside = ((rows[:, None] - y) / tall).square() + ((columns - x) / wide).square() < 1
        spoilt = torch.where(inside & (there < 0.5), kinds[:, blob, None, None], spoilt)
    return spoilt


def smooth_noise(like: Tensor, knots: int) -> Tensor:
    """Return noise of about unit variance as large as N C H W, smooth between `knots` a side."""
    noise = torch.randn(*like.shape[:2], knots, knots, device=like.device)
    return F.interpolate(noise, size=like.shape[2:], mode="bicubic")
