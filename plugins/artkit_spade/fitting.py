"""What is worked out in closed form before training, besides the codes of pictures: the base colours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from artkit.nn import heights
from artkit_spade.networks import TablesGenerator

CELLS = (16, 16)
"""Cells of a picture whose mean colours are explained."""
RIDGE = 3e-3
"""The ridge of the base colours, as a share of the mean square of what explains them."""


@torch.no_grad()
def fit_colours(generator: TablesGenerator, codes: Tensor, shares: Sequence[Tensor], colours: Sequence[Tensor]) -> None:
    """Work the generator's base colours out by ridge regression.

    For each picture: its code, the shares of classes (K h w) in cells, and the cells' mean colours (3 h w).
    The base colours are linear in (shares, shares x height) x (1, code), so that least squares finds them.
    """
    classes, inputs = generator.classes, codes.shape[1] + 1
    size = 2 * classes * inputs
    square, product = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, 3, dtype=torch.float64)
    for code, share, colour in zip(codes, shares, colours, strict=True):
        cells = torch.cat([share, share * heights(*share.shape[-2:]).to(share)]).flatten(1)
        told = torch.cat([code.new_ones(1), code])
        rows = torch.einsum("kp,c->pkc", cells, told).flatten(1).double()
        square += rows.T @ rows
        product += rows.T @ colour.flatten(1).T.double()
    square.diagonal().add_(RIDGE * square.diagonal().mean())
    table = torch.linalg.solve(square, product).float().view(2, classes, inputs, 3)
    table = table.permute(1, 0, 3, 2).reshape(classes * 6, inputs)  # a class's rows: three levels, three slopes
    generator.base.weight.copy_(table[:, 1:])
    generator.base.bias.copy_(table[:, 0])
