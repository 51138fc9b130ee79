"""Image pyramids: the sizes of their levels, resizing, blurring, and bands of detail."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

RATIO = 1.6  # from one level to the next
COARSEST = 64  # no level's long side is shorter
NARROWEST = 24  # no level's short side is shorter, but for the picture itself
BANDS = (1.0, 2.0, 4.0)  # sigmas between which contrast is compared


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return (height, width) of every level, coarsest first; the last is the picture's own."""
    sizes = [(height, width)]
    while True:
        scale = RATIO ** -len(sizes)
        smaller = round(height * scale), round(width * scale)
        if max(smaller) < COARSEST or min(smaller) < NARROWEST:
            return sizes[::-1]
        sizes.append(smaller)


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize CHW: smoothly where it grows, averaging where it shrinks."""
    if tuple(picture.shape[-2:]) == tuple(size):
        return picture
    shrinking = size[0] * size[1] < picture.shape[-2] * picture.shape[-1]
    return F.interpolate(picture[None], size, mode="bilinear" if shrinking else "bicubic", antialias=shrinking)[0]


def blur(picture: Tensor, sigma: float) -> Tensor:
    """Blur CHW by a Gaussian of `sigma` pixels; the border goes on as it is."""
    radius = round(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=picture.dtype, device=picture.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    rows = F.pad(picture[:, None], (0, 0, radius, radius), mode="replicate")
    rows = F.conv2d(rows, kernel[None, None, :, None])
    columns = F.pad(rows, (radius, radius, 0, 0), mode="replicate")
    return F.conv2d(columns, kernel[None, None, None, :])[:, 0]


def bands(picture: Tensor) -> list[Tensor]:
    """Split CHW into bands of detail, finest first; they and what is left below add up to the picture."""
    levels = [picture, *(blur(picture, sigma) for sigma in BANDS)]
    return [finer - coarser for finer, coarser in pairwise(levels)]


def band_contrasts(picture: Tensor) -> list[float]:
    """Return the standard deviation of each band of CHW."""
    return [float(band.square().mean().sqrt()) for band in bands(picture)]
