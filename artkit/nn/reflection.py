"""Mirrored borders, where a network must see beyond a picture."""

from __future__ import annotations

import torch
from torch import Tensor


def reflect_index(side: int, padded: int, margin: int = 0) -> Tensor:
    """Return `padded` indices into `side` pixels from -`margin` on, mirrored at both ends: 2 1 | 0 1 2 | 1 0 1 2 ..."""
    if side == 1:
        return torch.zeros(padded, dtype=torch.long)
    period = 2 * (side - 1)
    phase = (torch.arange(padded) - margin) % period
    return torch.where(phase < side, phase, period - phase)
