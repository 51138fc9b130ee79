"""What a painter sees before painting: where the borders of things run, where there is detail, the paper.

All fields are float32 tensors (..., H, W) on the CPU.
"""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.nn import blur, structure
from artkit.nn.strokes import generator

_TEXTURE = 0.15  # what a thing's own texture may reach before it counts as detail


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
