"""Class shares: how much each class covers of a cell, or of all that a generator makes, which is calibrated by them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from artkit.images import one_hot
from artkit.nn import settle_norms
from artkit_semgan.networks import Generator

BATCH, BATCHES, ROUNDS = 64, 8, 12
RARE = 1e-3
"""Shares below this are not told apart."""


def cell_shares(labels: Tensor, classes: int, side: int) -> Tensor:
    """Return each class's share of each of `side` x `side` cells of label maps N H W: N K side side, summing to 1.

    Pixels of maps smaller than that are repeated first, so that every cell holds some.
    """
    times = max(1, *(-(-side // extent) for extent in labels.shape[1:]))
    labels = labels.repeat_interleave(times, 1).repeat_interleave(times, 2)
    count, height, width = labels.shape
    rows, columns = (torch.arange(extent, device=labels.device) * side // extent for extent in (height, width))
    maps = torch.arange(count, device=labels.device) * side * side
    cells = maps[:, None, None] + rows[:, None] * side + columns
    counts = torch.bincount((cells * classes + labels).flatten(), minlength=count * side * side * classes)
    counts = counts.reshape(count, side, side, classes).movedim(-1, 1).float()
    return counts / counts.sum(1, keepdim=True)


def argmax_shares(logits: Tensor) -> Tensor:
    """Return the share (K) of pixels where each class is the likeliest, of logits N K H W."""
    return one_hot(logits.argmax(1), logits.shape[1]).mean((0, 2, 3))


def settle(generator: Generator) -> Generator:
    """Return the generator with batch norm settled on plain noise: in training it sees the encoder's z as well."""
    generator = copy.deepcopy(generator)
    settle_norms(generator, [(z,) for z in _draw(generator)])
    return generator


@torch.no_grad()
def calibrate(generator: Generator, real: Tensor) -> Generator:
    """Return the generator with batch norm and biases settled on what it makes; `real` (K) are the real class shares.

    The likeliest class a pixel, of which maps are made, passes over rare classes more often than their probability
    says: the last biases move until the shares agree.
    """
    generator = settle(generator)
    noise, bias = _draw(generator), generator.refine.bias
    assert bias is not None
    for _ in range(ROUNDS):
        shares = torch.stack([argmax_shares(generator(z)) for z in noise]).mean(0)
        bias += 0.5 * torch.log((real.to(bias.device) + RARE) / (shares + RARE))
    return generator


def _draw(generator: Generator) -> list[Tensor]:
    device, chance = generator.dense.weight.device, torch.Generator().manual_seed(0)
    return [torch.randn(BATCH, generator.latent, generator=chance).to(device) for _ in range(BATCHES)]
