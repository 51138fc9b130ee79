"""CAN's losses of style: classification of real art, and ambiguity of what is generated (Elgammal et al. 2017)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

StyleForm = Literal["sigmoid", "softmax"]


def style_loss(logits: Tensor, styles: Tensor, form: StyleForm) -> Tensor:
    """Return the classification loss of the style logits N K of real art, whose styles are N indices.

    softmax: cross-entropy. sigmoid: K binary cross-entropies; the paper writes the right style's alone, which would
    let every answer be yes.
    """
    if form == "softmax":
        return F.cross_entropy(logits.float(), styles)
    target = F.one_hot(styles, logits.shape[1]).float()
    return F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none").sum(1).mean()


def ambiguity_loss(logits: Tensor, form: StyleForm) -> Tensor:
    """Return the style ambiguity loss: how far the style logits N K of fakes are from calling every style as likely.

    sigmoid: K binary cross-entropies against 1/K, the paper's formula. softmax: cross-entropy against the uniform
    distribution, as most implementations have it. Neither reaches 0, see `ambiguity_floor`.
    """
    count = logits.shape[1]
    if form == "softmax":
        return -F.log_softmax(logits.float(), 1).mean(1).mean()
    target = torch.full_like(logits, 1 / count, dtype=torch.float32)
    return F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none").sum(1).mean()


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
