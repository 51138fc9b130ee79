"""Pictures at the size they are trained at: the shortest side brought to a number of pixels as they are loaded."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.data.dataset import Sample

LARGE = 4  # times the crop: beyond it, a crop shows little of what a picture shows
MARGIN = 286 / 256  # load size to crop, as in pix2pix (Isola et al. 2017, section 6.2)


def advise_load(sizes: Collection[tuple[int, int]], crop: int) -> str:
    """Say what to set where pictures of these widths and heights are much larger than crops; nothing where they fit."""
    usual = round(median(map(min, sizes))) if sizes else 0
    if usual < LARGE * crop:
        return ""
    return (
        f"pictures are {usual} px on their shortest side and crops {crop}: --set load={round(MARGIN * crop)} makes "
        "crops show most of a picture instead of details, and reads photos faster"
    )


def resize_sample(sample: Sample, side: int) -> Sample:
    """Resize the pictures of one sample, all to one size whose shortest side is `side`; words stay as they are.

    Pictures, uint8 3HW, are averaged down or interpolated up; label maps, uint8 HW, take the nearest pixel.
    """
    pictures = [value for value in sample.values() if isinstance(value, Tensor)]
    if not pictures:
        return sample
    largest = max(pictures, key=lambda value: value.shape[-1] * value.shape[-2])  # a draft is a rounded likeness
    size = fit_size(largest.shape[-2], largest.shape[-1], side)
    return {name: _resize(value, size) if isinstance(value, Tensor) else value for name, value in sample.items()}


def fit_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Return height and width of the same shape whose shortest side is `side`."""
    scale = side / min(height, width)
    return max(side, round(height * scale)), max(side, round(width * scale))


def _resize(value: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(value.shape[-2:]) == size:
        return value
    if value.dim() == 2:
        return F.interpolate(value[None, None].float(), size, mode="nearest-exact")[0, 0].to(value.dtype)
    resized = F.interpolate(value[None].float(), size, mode="bicubic", antialias=True)[0]
    return resized.round().clamp(0, 255).to(torch.uint8)
