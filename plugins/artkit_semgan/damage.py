"""Damage painted label maps as files and hands do: the reader learns to see through it."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

CLEAN, SINGLE = 0.15, 0.6
"""How often a picture stays as it is, and how often it takes just one kind of damage."""
ODDS = torch.tensor([1.0, 3.0, 1.0, 1.0, 2.0])
"""How often that is rescaling, blur, tint, noise and JPEG: what is hardest to see through comes most often."""
EACH = 0.4
"""How often each kind happens otherwise."""


def damage(images: Tensor) -> Tensor:
    """Return images N3HW in [0, 1], each with its own damage drawn from torch's random state."""
    return torch.stack([damage_one(image) for image in images.cpu()]).to(images.device)


def damage_one(image: Tensor) -> Tensor:
    """Rescale, blur, tint, add noise and compress one image 3HW: none of them, one, or some of them."""
    kinds = (
        lambda x: rescale(x, towards(0.9, 0.4)),
        lambda x: blur(x, towards(0.3, 2.5)),
        lambda x: tint(x, torch.empty(3).uniform_(0.82, 1.18), math.exp(uniform(-0.25, 0.25))),
        lambda x: add_noise(x, towards(0, 32 / 255)),
        lambda x: compress(x, int(towards(96, 20))),
    )
    chance = float(torch.rand(()))
    if chance < CLEAN:
        return image
    if chance < CLEAN + SINGLE:
        return kinds[int(torch.multinomial(ODDS, 1))](image)
    for kind in kinds:
        if float(torch.rand(())) < EACH:
            image = kind(image)
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


def uniform(low: float, high: float) -> float:
    """Draw a number between two."""
    return low + (high - low) * float(torch.rand(()))


def towards(mild: float, harsh: float) -> float:
    """Draw a number between two, the harsh ones more often."""
    return mild + (harsh - mild) * float(torch.rand(())) ** 0.5
