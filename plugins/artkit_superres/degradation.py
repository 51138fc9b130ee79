"""Degradation: the small pictures that training enlarges, made of large ones as the world makes them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import compress_jpeg

QUALITIES = (40, 95)
"""JPEG qualities, from the first up to the second."""


def shrink(image: Tensor, scale: int, antialias: bool = True) -> Tensor:
    """Downsample N3HW in [0, 1] by `scale`, bicubic, antialiased unless told not to, in steps of 1/255.

    Sides must be multiples of `scale`.
    """
    small = F.interpolate(image, scale_factor=1 / scale, mode="bicubic", antialias=antialias)
    return torch.round(small.clamp(0, 1) * 255) / 255


def degrade(images: Tensor, scale: int, plain: float, jpeg: float) -> Tensor:
    """Downsample N3HW in [0, 1] by `scale`: a share `plain` without antialiasing, a share `jpeg` through a JPEG file.

    Which pictures those are, and the quality of each JPEG, is drawn from torch's random state.
    """
    small = shrink(images, scale)
    aliased = _draw(plain, len(images))
    small[aliased] = shrink(images[aliased], scale, antialias=False)
    for index in _draw(jpeg, len(images)):
        small[index] = compress_jpeg(small[index], int(torch.randint(*QUALITIES, ())))
    return small


def _draw(share: float, count: int) -> list[int]:
    """Draw which of `count` pictures belong to a share of them."""
    chosen: list[int] = torch.nonzero(torch.rand(count) < share).flatten().tolist()
    return chosen
