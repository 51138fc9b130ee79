"""Where a pixel lies in its picture, for networks that see no more than a part of it."""

from __future__ import annotations

import torch
from torch import Tensor


def heights(rows: int, columns: int, margin: int = 0) -> Tensor:
    """Return the height of each pixel in its picture, (1, rows, columns): -1 at the top to 1; margins continue it.

    One of the channels of Liu et al., "An intriguing failing of convolutional neural networks and the CoordConv
    solution", 2018: a sky is lighter the nearer the horizon, and a network that sees a patch of it alone cannot know.
    `margin` is how many rows lie above the picture's first, and below its last.
    """
    inner = max(rows - 2 * margin, 1)
    place = (torch.arange(rows) - margin + 0.5) / inner * 2 - 1
    return place.clamp(-1, 1)[None, :, None].expand(1, rows, columns)
