"""How near pictures are to the nearest of others: whether a model that dreams has memorised what it learned from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.metrics.pairs import Pictures, as_images

CELLS = 16
"""Cells along a side whose mean colours are compared."""


def find_nearest(a: Pictures, b: Pictures) -> tuple[Tensor, Tensor]:
    """Return for each picture of `a` the distance to the nearest of `b`, N, and the place of that one among them, N.

    The distance is the mean absolute difference of the mean colours of 16 x 16 cells, 0 for copies and 1 at most, so
    sizes may differ. Where `b` are the pictures that a model learned from, compare its own with real ones that it did
    not learn from: a model whose pictures are much nearer has memorised (blurred ones are nearer to everything, too).
    Raises DataError for an empty set, and for what is no picture.
    """
    distances = torch.cdist(_cells(a), _cells(b), p=1) / (3 * CELLS**2)
    nearest, places = distances.min(1)
    return nearest, places


def _cells(pictures: Pictures) -> Tensor:
    return torch.stack([F.adaptive_avg_pool2d(image.float(), CELLS).flatten() for image in as_images(pictures)])
