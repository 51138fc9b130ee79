"""Halving and doubling without aliases: blur, then sample (Zhang 2019, "Making Convolutional Networks Shift-Invariant
Again", section 3), with the filters and borders of CUT (Park et al. 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurDown(nn.Module):
    """Halve N C H W: blur by [1 2 1] with mirrored borders, keep every other pixel. Sides must be at least 2."""

    filter: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filter", _binomial([1, 2, 1], channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to N C H/2 W/2, rounded up."""
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filter, stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """Double N C H W: zeros between the pixels, borders repeated, blurred by [1 3 3 1]."""

    filter: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filter", 4 * _binomial([1, 3, 3, 1], channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to N C 2H 2W."""
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(padded, self.filter, stride=2, padding=2, groups=x.shape[1])[..., 1:-1, 1:-1]


def _binomial(weights: list[int], channels: int) -> Tensor:
    """Return a separable filter for each channel, C 1 k k, that sums to 1."""
    line = torch.tensor(weights, dtype=torch.float32)
    square = line[:, None] * line
    return (square / square.sum()).repeat(channels, 1, 1, 1)
