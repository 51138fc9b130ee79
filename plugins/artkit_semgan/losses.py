"""What judge, dreamer and guide pay."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import discriminator_loss, generator_loss

DreamGan = Literal["relativistic", "vanilla", "lsgan", "hinge"]


def judge_loss(real: Tensor, fake: Tensor, gan: DreamGan) -> Tensor:
    """Return the judge's loss on logits N 1.

    relativistic: a real map should look more real than the dream beside it (Jolicoeur-Martineau 2019), which keeps the
    dreamer from leaving kinds of maps out. The others as in artkit.nn.
    """
    return F.softplus(fake - real).mean() if gan == "relativistic" else discriminator_loss(real, fake, gan)


def dreamer_loss(real: Tensor, fake: Tensor, gan: DreamGan) -> Tensor:
    """Return the dreamer's loss on logits N 1, the mirror of `judge_loss`."""
    return F.softplus(real - fake).mean() if gan == "relativistic" else generator_loss(fake, gan)


def gradient_penalty(verdicts: Tensor, real: Tensor) -> Tensor:
    """Return the judge's squared slope at real maps (R1: Mescheder et al. 2018, eq. 9, without its gamma / 2)."""
    slope = torch.autograd.grad(verdicts.sum(), real, create_graph=True)[0]
    return slope.square().sum((1, 2, 3)).mean()


def cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    """Return the mean cross-entropy a pixel of distributions `shares` N K H W, in nats."""
    return -(shares * F.log_softmax(logits.float(), 1)).sum(1).mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence from N(0, 1), in nats a map (Kingma and Welling 2014, appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
