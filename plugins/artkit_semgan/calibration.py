"""Make a trained dreamer keep the world's class shares."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from artkit.images import one_hot
from artkit.nn import settle_norms
from artkit_semgan.networks import Dreamer

BATCH, BATCHES, ROUNDS = 64, 8, 12
RARE = 1e-3
"""Shares below this are not told apart."""


@torch.no_grad()
def calibrate(dreamer: Dreamer, world: Tensor) -> Dreamer:
    """Return the dreamer with normalisation and biases settled on what it dreams; `world` (K) are real class shares.

    In training, batch normalisation also sees the guide's z, so its running averages fit neither kind of z; here they
    become those of plain noise. And the likeliest class a pixel, of which maps are made, passes over rare classes more
    often than their probability says: the last biases move until the shares agree.
    """
    dreamer = copy.deepcopy(dreamer)
    device, chance = dreamer.dense.weight.device, torch.Generator().manual_seed(0)
    noise = [torch.randn(BATCH, dreamer.latent, generator=chance).to(device) for _ in range(BATCHES)]
    settle_norms(dreamer, [(z,) for z in noise])
    for _ in range(ROUNDS):
        shares = torch.stack([dreamt_shares(dreamer(z)) for z in noise]).mean(0)
        dreamer.refine.bias += 0.5 * torch.log((world.to(device) + RARE) / (shares + RARE))  # type: ignore[operator]
    return dreamer


def dreamt_shares(logits: Tensor) -> Tensor:
    """Return the share (K) of pixels where each class is the likeliest."""
    return one_hot(logits.argmax(1), logits.shape[1]).mean((0, 2, 3))
