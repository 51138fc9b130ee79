"""Damaged patches that the segmenter trains on: label maps cut, painted, and spoilt as files and hands spoil them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.images import paint_labels
from artkit.nn import compress_jpeg
from artkit.spec import ClassSet

CLEAN, SINGLE = 0.15, 0.6
"""How often a picture stays as it is, and how often it takes just one kind of damage."""
ODDS = torch.tensor([1.0, 3.0, 1.0, 1.0, 2.0])
"""How often that is rescaling, blur, tint, noise and JPEG: what is hardest to see through comes most often."""
EACH = 0.4
"""How often each kind happens otherwise."""
MARGIN = 16
"""Pixels that damaged patches lose again, at random sides: JPEG blocks and blurred borders then lie anywhere."""
TRIES = 3
"""Squares to choose a patch from."""


def damaged_patches(labels: Tensor, classes: ClassSet, count: int, side: int) -> tuple[Tensor, Tensor]:
    """Return `count` patches of label maps N H H, as labels N side side, and damaged pictures of them, N 3 side side.

    `side` is an even number, made smaller where the maps are.
    """
    extent = labels.shape[-1]
    side = min(side, extent // 2 * 2)
    grown = min(side + MARGIN, extent)
    rows = torch.randint(len(labels), (count,)).tolist()
    large = torch.stack([cut_busy(labels[row], grown) for row in rows])
    corners = [draw_corner(grown - side) for _ in rows]
    pictures = damage(paint_labels(large, classes))
    cut_labels, cut_pictures = (
        torch.stack([cut(x, side, *corner) for x, corner in zip(xs, corners, strict=True)]) for xs in (large, pictures)
    )
    return cut_labels, cut_pictures


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
        lambda x: compress_jpeg(x, int(towards(96, 20))),
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


def uniform(low: float, high: float) -> float:
    """Draw a number between two."""
    return low + (high - low) * float(torch.rand(()))


def towards(mild: float, harsh: float) -> float:
    """Draw a number between two, the harsh ones more often."""
    return mild + (harsh - mild) * float(torch.rand(())) ** 0.5


def draw_corner(room: int) -> tuple[int, int]:
    """Draw the top left corner of a square that has `room` pixels to move in."""
    top, left = torch.randint(room + 1, (2,)).tolist()
    return top, left


def cut_busy(labels: Tensor, side: int) -> Tensor:
    """Cut the one with most borders of a few random squares from a map HW: inside regions there is little to learn."""
    corners = [draw_corner(labels.shape[-1] - side) for _ in range(TRIES)]
    return max((cut(labels, side, *corner) for corner in corners), key=count_borders)


def count_borders(labels: Tensor) -> int:
    """Count the neighbours in a map HW, side by side or one above the other, that differ."""
    return int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum())


def cut(value: Tensor, side: int, top: int, left: int) -> Tensor:
    """Cut a square out of a map HW or picture CHW."""
    return value[..., top : top + side, left : left + side]
