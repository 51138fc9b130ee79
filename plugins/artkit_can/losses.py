"""What the discriminator and the generator pay (Elgammal et al. 2017, section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import discriminator_loss, generator_loss

StyleForm = Literal["sigmoid", "softmax"]
CanGan = Literal["vanilla", "lsgan", "hinge", "relativistic"]


def judge_loss(real: Sequence[Tensor], made: Sequence[Tensor], gan: CanGan) -> Tensor:
    """Return the discriminator's loss on logits, averaged over scales: `real` should be high and `made` low.

    relativistic: real art should look more real than what was made beside it (Jolicoeur-Martineau 2019). The others
    as in artkit.nn.
    """
    if gan == "relativistic":
        return torch.stack([F.softplus(m - r).mean() for r, m in zip(real, made, strict=True)]).mean()
    return discriminator_loss(real, made, gan)


def artist_loss(real: Sequence[Tensor], made: Sequence[Tensor], gan: CanGan) -> Tensor:
    """Return the generator's adversarial loss, the mirror of `judge_loss`; only relativistic looks at `real`."""
    if gan == "relativistic":
        return torch.stack([F.softplus(r - m).mean() for r, m in zip(real, made, strict=True)]).mean()
    return generator_loss(made, gan)


def style_loss(logits: Tensor, styles: Tensor, form: StyleForm) -> Tensor:
    """Return the discriminator's loss on the style logits N K of real art, whose styles are N indices.

    softmax: cross-entropy. sigmoid: K binary cross-entropies; the paper writes the right style's alone, which would
    let every answer be yes.
    """
    if form == "softmax":
        return F.cross_entropy(logits.float(), styles)
    wanted = F.one_hot(styles, logits.shape[1]).float()
    return F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none").sum(1).mean()


def ambiguity_loss(logits: Tensor, form: StyleForm) -> Tensor:
    """Return how far the style logits N K of made pictures are from saying that every style is as likely.

    sigmoid: K binary cross-entropies against 1/K, the paper's formula. softmax: cross-entropy against the uniform
    distribution, as most implementations have it. Neither reaches 0, see `ambiguity_floor`.
    """
    count = logits.shape[1]
    if form == "softmax":
        return -F.log_softmax(logits.float(), 1).mean(1).mean()
    wanted = torch.full_like(logits, 1 / count, dtype=torch.float32)
    return F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none").sum(1).mean()


def ambiguity_floor(count: int, form: StyleForm) -> float:
    """Return the least that `ambiguity_loss` can be for `count` styles: log K, or K times the entropy of 1/K."""
    if form == "softmax":
        return math.log(count)
    return math.log(count) + (count - 1) * math.log(count / (count - 1))


def posterior(logits: Tensor, form: StyleForm) -> Tensor:
    """Return style probabilities N K, each row summing to 1."""
    if form == "softmax":
        return F.softmax(logits.float(), 1)
    chances = torch.sigmoid(logits.float())
    return chances / chances.sum(1, keepdim=True).clamp(min=1e-12)


def entropy(probabilities: Tensor) -> Tensor:
    """Return the entropy of each row of N K, in nats."""
    return -torch.special.xlogy(probabilities, probabilities).sum(1)


def gradient_penalty(verdicts: Sequence[Tensor], real: Tensor) -> Tensor:
    """Return the squared slope of verdicts at real pictures (R1: Mescheder et al. 2018, eq. 9, without gamma / 2)."""
    total = torch.stack([scale.float().flatten(1).mean(1).sum() for scale in verdicts]).sum()
    slope = torch.autograd.grad(total, real, create_graph=True)[0]
    return slope.square().sum((1, 2, 3)).mean()
