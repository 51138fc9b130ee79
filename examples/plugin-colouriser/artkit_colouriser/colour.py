"""Luminance and chroma (ITU-R BT.601, as in JPEG), taken apart and put together again."""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)


def luminance(image: Tensor) -> Tensor:
    """Return the luminance, N1HW in [0, 1], of N3HW."""
    return (image * image.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def chroma(image: Tensor) -> Tensor:
    """Return what red and blue differ from the luminance by, N2HW in [-1, 1], of N3HW."""
    return image[:, 0::2] - luminance(image)


def colour(light: Tensor, chroma: Tensor) -> Tensor:
    """Return N3HW in [0, 1] of exactly that luminance, N1HW, and that chroma, N2HW, as far as the screen has it.

    Colours beyond the screen's are made paler: cutting off their channels would change the luminance.
    """
    red, blue = chroma[:, :1], chroma[:, 1:]
    green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]  # so that the three add no luminance
    difference = torch.cat([red, green, blue], 1)
    room = torch.where(difference > 0, 1 - light, light)
    share = (room / difference.abs().clamp_min(1e-6)).amin(1, keepdim=True).clamp(0, 1)
    return light + share * difference
