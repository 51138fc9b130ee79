"""What is worked out in closed form before training: the projection of moments to codes, and the base colours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from artkit.nn import heights
from artkit_spade.networks import MomentsEncoder, TablesGenerator

CELLS = (16, 16)
"""Cells of a picture whose mean colours are explained."""
RIDGE = 3e-3
"""The ridge of the base colours, as a share of the mean square of what explains them."""


@torch.no_grad()
def fit_codes(encoder: MomentsEncoder, pictures: Sequence[Tensor]) -> Tensor:
    """Make the code of a picture the principal components of its moments, standardised; return the pictures' codes.

    `pictures`: N3HW in [-1, 1] each. Random filters already tell light and style apart by their moments.
    """
    moments = torch.cat([encoder.moments(picture) for picture in pictures])
    encoder.centre.copy_(moments.mean(0))
    encoder.scale.copy_(moments.std(0).clamp_min(1e-3))
    values = (moments - encoder.centre) / encoder.scale
    count = len(encoder.project)
    components = torch.linalg.svd(values, full_matrices=False).Vh[:count]
    components *= count**0.5 / (values @ components.T).square().sum(1).mean().sqrt()  # codes are about as long already
    encoder.project.zero_()
    encoder.project[: len(components)] = components
    return torch.cat([encoder(picture) for picture in pictures])


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
