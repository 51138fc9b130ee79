"""Augmentation: DiffAugment (Zhao et al. 2020), which gradients pass through, for a discriminator's input; and JPEG."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

SHIFT = 1 / 8
"""The most a picture is shifted, as a share of its side."""
HOLE = 1 / 2
"""The side of the cut-out square, as a share of the picture's."""


def augment(images: Tensor) -> Tensor:
    """Change colour, place and completeness of each picture N C H W at random; gradients pass.

    Shown real and made pictures alike augmented, a discriminator cannot learn its few real pictures by heart, and as
    the generator is judged through the same augmentation it does not learn to imitate that. The paper's policy of
    colour, translation and cutout, with its strengths.
    """
    return cut_out(translate(recolour(images)))


def recolour(images: Tensor) -> Tensor:
    """Shift brightness by up to 0.5, stretch saturation (0 to 2) and contrast (0.5 to 1.5) of pictures in [-1, 1]."""
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1, device=images.device)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = torch.lerp(grey, images, (2 * saturation).to(images.dtype))
    level = images.mean((1, 2, 3), keepdim=True)
    return torch.lerp(level, images, (contrast + 0.5).to(images.dtype))


def translate(images: Tensor) -> Tensor:
    """Shift each picture by up to SHIFT of its sides; what comes in is 0."""
    height, width = images.shape[-2:]
    down, right = round(height * SHIFT), round(width * SHIFT)
    padded = F.pad(images, (right, right, down, down))
    tops = torch.randint(2 * down + 1, (len(images),)).tolist()
    lefts = torch.randint(2 * right + 1, (len(images),)).tolist()
    moved = [
        picture[:, top : top + height, left : left + width]
        for picture, top, left in zip(padded, tops, lefts, strict=True)
    ]
    return torch.stack(moved)


def cut_out(images: Tensor) -> Tensor:
    """Set a square of HOLE of the sides to 0 in each picture, anywhere, partly beyond the border too."""
    height, width = images.shape[-2:]
    down, across = (_frame(side, len(images)).to(images.device) for side in (height, width))
    return images * ~(down[:, None, :, None] & across[:, None, None, :])


def _frame(side: int, count: int) -> Tensor:
    """Draw for `count` pictures a run of HOLE of `side` pixels around a random centre: True inside, N `side`."""
    half = side * HOLE / 2
    centres = torch.randint(side + 1, (count, 1))
    places = torch.arange(side)[None] + 0.5
    return (places - centres).abs() < half


def compress_jpeg(image: Tensor, quality: int) -> Tensor:
    """Take an image 3HW in [0, 1] through a JPEG file of `quality` 1 to 95; no gradients pass."""
    levels = (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).contiguous().cpu().numpy()
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(file))).movedim(-1, 0).to(image) / 255
