"""Layouts as signed distances: what lies where, in numbers whose mean is a layout again."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

REACH = 3 / 16
"""Distances count up to here, as a share of the side."""
STEEPNESS = 24.0
"""How many times the distance, as a share of the side, the logit of a class is."""


def layout_logits(shares: Tensor) -> Tensor:
    """Return how far each place lies inside a class, N K h w of shares N K h w, as logits; outside they are negative.

    Principal components of signed distances are components of shape (Leventon et al. 2000): half of the way from one
    horizon to another lies a horizon, where shares would give two that are faint.
    """
    side, classes = shares.shape[-1], shares.shape[1]
    owners = F.one_hot(shares.argmax(1), classes).movedim(-1, 1).bool().cpu().numpy()
    distances = [_distance(own, REACH * side) for own in owners.reshape(-1, *owners.shape[2:])]
    logits = torch.from_numpy(np.stack(distances)).view(shares.shape).to(shares)
    return logits * (STEEPNESS / side)


def _distance(own: np.ndarray, reach: float) -> np.ndarray:
    if not own.any():
        return np.full(own.shape, -reach)
    if own.all():
        return np.full(own.shape, reach)
    edge = np.where(own, distance_transform_edt(own) - 0.5, 0.5 - distance_transform_edt(~own))
    return np.clip(edge, -reach, reach)
