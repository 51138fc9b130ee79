"""Texture loss: statistics of fixed features, in place of the papers' perceptual loss, which needs VGG's weights."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

FILTERS, SIDE, CELL = 24, 5, 8
FLOOR = 1e-3  # energies are compared above the noise of 8 bits, where the root's gradient is tame


def texture_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the texture loss: the mean difference in how strong detail is, of N3HW in [0, 1].

    That is the responses of fixed random filters, their root mean square over cells.

    SRGAN (section 2.2.1) compares VGG features, which we do not ship. Filters without weights of their own to learn
    are random 5 x 5 patches without mean over all three colours; random convolutions are known to tell textures apart
    (Ustyuzhaninov et al. 2017). Only their strength in cells of 8 x 8 pixels counts, not where in the cell an edge
    lies, so that blur costs and a grain that fell differently does not.
    """
    return F.l1_loss(_energies(output.float()), _energies(target.float()))


def _energies(image: Tensor) -> Tensor:
    responses = F.conv2d(image, _filters().to(image.device))
    return (F.avg_pool2d(responses**2, CELL, CELL // 2) + FLOOR**2).sqrt()


@lru_cache(maxsize=1)
def _filters() -> Tensor:
    filters = torch.randn(FILTERS, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    filters = filters - filters.mean((1, 2, 3), keepdim=True)
    return filters / filters.flatten(1).norm(dim=1)[:, None, None, None]
