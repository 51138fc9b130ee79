"""Damage painted label maps as files and hands do: the reader learns to see through it."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

SHARE = 0.4
"""How often each kind of damage happens, each on its own."""


def damage(images: Tensor) -> Tensor:
    """Return images N3HW in [0, 1], each with its own damage drawn from torch's random state."""
    return torch.stack([damage_one(image) for image in images.cpu()]).to(images.device)


def damage_one(image: Tensor) -> Tensor:
    """Rescale, blur, tint, add noise and compress one image 3HW, each or none of them."""
    if happens(0.1):
        return image
    if happens():
        image = rescale(image, uniform(0.4, 0.9))
    if happens():
        image = blur(image, uniform(0.3, 2.6))
    if happens():
        image = tint(image, torch.empty(3).uniform_(0.82, 1.18), math.exp(uniform(-0.25, 0.25)))
    if happens():
        image = add_noise(image, uniform(0, 32 / 255))
    if happens():
        image = compress(image, int(uniform(20, 96)))
    return image


def rescale(image: Tensor, factor: float) -> Tensor:
    """Shrink a 3HW image by `factor` with antialiasing and grow it back."""
    size = [max(1, round(side * factor)) for side in image.shape[1:]]
    small = F.interpolate(image[None], size=size, mode="bicubic", antialias=True)
    return F.interpolate(small, size=image.shape[1:], mode="bicubic", antialias=True)[0].clamp(0, 1)


def blur(image: Tensor, sigma: float) -> Tensor:
    """Blur a 3HW image by a Gaussian of `sigma` pixels, its border repeated."""
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    padded = F.pad(image[:, None], (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])[:, 0]


def tint(image: Tensor, gains: Tensor, gamma: float) -> Tensor:
    """Raise a 3HW image to `gamma` and multiply its channels by `gains` (3)."""
    return (image.clamp_min(1e-6) ** gamma * gains[:, None, None]).clamp(0, 1)


def add_noise(image: Tensor, sigma: float) -> Tensor:
    """Add normal noise to every value of an image."""
    return (image + sigma * torch.randn(image.shape)).clamp(0, 1)


def compress(image: Tensor, quality: int) -> Tensor:
    """Take a 3HW image through a JPEG file."""
    levels = (image.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).contiguous().numpy()
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(file))).movedim(-1, 0).float() / 255


def happens(share: float = SHARE) -> bool:
    """Draw whether something happens."""
    return bool(torch.rand(()) < share)


def uniform(low: float, high: float) -> float:
    """Draw a number between two."""
    return low + (high - low) * float(torch.rand(()))
