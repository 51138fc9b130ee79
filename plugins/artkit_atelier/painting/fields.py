"""What a painter sees before painting: where the borders of things run, where there is detail, the paper.

All fields are float32 tensors (..., H, W) on the CPU.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn.strokes import generator

_TEXTURE = 0.15  # what a thing's own texture may reach before it counts as detail


def blur(picture: Tensor, sigma: float) -> Tensor:
    """Return `picture` (C, H, W) blurred by a Gaussian of `sigma` pixels, its border repeated outwards."""
    radius = max(1, math.ceil(2.5 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    taps = (taps / taps.sum()).view(1, 1, 1, -1)
    padded = F.pad(picture[:, None], (radius, radius, radius, radius), mode="replicate")
    return F.conv2d(F.conv2d(padded, taps), taps.transpose(2, 3))[:, 0]


def _slopes(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Return the central differences of `picture` (C, H, W) along y and x."""
    padded = F.pad(picture[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    return (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2, (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2


def structure(picture: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Return the structure tensor of `picture` (C, H, W) as its edges' doubled angle.

    The result is (cos 2t, sin 2t) times the edges' energy, (2, H, W), t being the tangent; and the energy (H, W).
    Source: Bigün and Granlund, "Optimal orientation detection of linear symmetry" (ICCV 1987).
    """
    slope_y, slope_x = _slopes(picture)
    yy, xx, xy = slope_y.square().sum(0), slope_x.square().sum(0), (slope_x * slope_y).sum(0)
    double_cos, double_sin, energy = blur(torch.stack((yy - xx, -2 * xy, yy + xx)), sigma)
    return torch.stack((double_cos, double_sin)), energy


def label_codes(labels: Tensor) -> Tensor:
    """Return three numbers in [0, 1) for each label (H, W): different labels get clearly different triples."""
    steps = torch.tensor([0.6180, 0.7549, 0.5698]).view(3, 1, 1)
    return (labels.float() * steps).remainder(1)


def bend_to_borders(theta: Tensor, labels: Tensor, follow: float, sigma: float = 4.0) -> Tensor:
    """Return orientations (H, W) that run along the borders of `labels` (H, W) and are `theta` away from them."""
    tangent, energy = structure(label_codes(labels), sigma)
    grip = (energy * 60).clamp(0, 1) * follow
    towards = tangent / (energy + 1e-6)
    cos, sin = (1 - grip) * torch.stack(((2 * theta).cos(), (2 * theta).sin())) + 1.5 * grip * towards
    return torch.where(grip > 1e-3, torch.atan2(sin, cos) / 2, theta)


def detail(photo: Tensor, labels: Tensor, sigma: float = 3.0) -> Tensor:
    """Return how much detail there is around each pixel (H, W), in [0, 1]: borders of things, edges in the photo."""
    _, borders = structure(label_codes(labels), sigma)
    _, edges = structure(blur(photo, 1.0), sigma)
    return (borders * 30 + edges * 60 - _TEXTURE).clamp(0, 1)


def tooth(height: int, width: int, seed: int) -> Tensor:
    """Return the tooth of a rough paper (H, W) in [0, 1]: 1 in its pits, which chalk skips and pigment fills."""
    rough = torch.randn(1, height, width, generator=generator(seed, 99))
    mixed = 2.4 * blur(rough, 0.7)[0] + 1.6 * blur(rough, 1.6)[0]
    return (0.5 + 0.5 * mixed).clamp(0, 1)
