"""What igan minimises: the ternary adversarial loss while it is trained; colours and edges where it is steered."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

REAL, RECONSTRUCTED, DREAMT = 0, 1, 2
"""What the discriminator tells apart."""
CELL, ANGLES = 8, 8
"""Pixels along a cell, and directions, of histograms of gradients."""
FLOOR = 1e-5


def ternary_loss(logits: Tensor, kind: int) -> Tensor:
    """Return the cross-entropy of logits, N 3, where all are of one kind (Brock et al., section 3.1)."""
    return F.cross_entropy(logits.float(), logits.new_full((len(logits),), kind, dtype=torch.long))


def colour_loss(made: Tensor, colours: Tensor, mask: Tensor) -> Tensor:
    """Return how far pictures are from colours, N3HW, where the mask N1HW is: N (Zhu et al., eq. 4, f_g the colour)."""
    error = (made - colours).square().mean(1, keepdim=True) * mask
    return error.mean((1, 2, 3)) / (mask.mean((1, 2, 3)) + FLOOR)


def edge_loss(made: Tensor, edges: Tensor) -> Tensor:
    """Return how far the directions of a picture's edges, N3HW, are from drawn ones, N1HW: N (eq. 4, f_g HOG).

    Only cells where something is drawn count.
    """
    drawn = F.avg_pool2d(edges, CELL)
    mask = (drawn > 0).to(made.dtype)
    error = (directions(made) - directions(edges)).square().mean(1, keepdim=True) * mask
    return error.mean((1, 2, 3)) / (mask.mean((1, 2, 3)) + FLOOR)


def directions(picture: Tensor) -> Tensor:
    """Return histograms of gradients, N `ANGLES` h w of cells, each of length 1 at most (Dalal and Triggs 2005).

    Both signs of a gradient are one direction. A direction takes what lies along it, and less the further from it;
    unlike a count, that has a slope everywhere.
    """
    grey = F.pad(picture.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across = (grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]) / 2
    down = (grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]) / 2
    angles = torch.arange(ANGLES, device=picture.device, dtype=picture.dtype).view(1, -1, 1, 1) * (math.pi / ANGLES)
    along = across * angles.cos() + down * angles.sin()
    strength = (across.square() + down.square() + FLOOR).sqrt()
    votes = F.avg_pool2d(along.square().square() / strength.pow(3), CELL)
    return votes / (votes.square().sum(1, keepdim=True) + 1e-3).sqrt()
