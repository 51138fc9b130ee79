"""The paper under pastel and watercolour."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.nn.strokes import generator
from artkit_atelier.painting.fields import blur


def tooth(height: int, width: int, seed: int) -> Tensor:
    """Return the tooth of a rough paper (H, W) in [0, 1]: 1 in its pits, which chalk skips and pigment fills."""
    rough = torch.randn(1, height, width, generator=generator(seed, 99))
    mixed = 2.2 * blur(rough, 0.8)[0] + 2.5 * blur(rough, 2.0)[0]
    return (0.5 + 0.5 * mixed).clamp(0, 1)
