"""The paper under pastel and watercolour."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.nn.strokes import generator
from artkit_atelier.painting.fields import blur


def tooth(height: int, width: int, seed: int) -> Tensor:
    """Return the tooth of a rough paper (H, W) in [0, 1]: 1 in its pits, which chalk skips and pigment fills."""
    rough = torch.randn(1, height, width, generator=generator(seed, 99))
    mixed = 2.4 * blur(rough, 0.7)[0] + 1.6 * blur(rough, 1.6)[0]
    return (0.5 + 0.5 * mixed).clamp(0, 1)
