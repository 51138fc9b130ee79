"""What stackgan minimises: the matching-aware adversarial loss, and the divergence of codes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import discriminator_loss


def matching_aware_loss(right: Sequence[Tensor], made: Sequence[Tensor], wrong: Tensor) -> Tensor:
    """Return the discriminator's loss (Reed et al. 2016, algorithm 1; Zhang et al. 2016, section 3.3), hinge.

    Real pictures with `right` sentences are to be told from made ones with right ones, and from real ones with `wrong`
    ones; where there is no wrong one, from the former alone. The first logits ask for the sentence, the others do not.
    """
    loss = discriminator_loss(right, made, "hinge")
    return (loss + discriminator_loss(right[0], wrong, "hinge")) / 2 if len(wrong) else loss


def find_wrong(said: Tensor, whole: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each picture of a batch another whose sentence is wrong for it, and whether there is any.

    `said` and `whole`, N V, are what is said of each picture, and all of its caption's words; a sentence is wrong where
    it says a `visible` word, V, that the caption does not: rolling the batch would call right ones wrong (two lakes).
    """
    count = len(said)
    wrong = ((1 - whole) @ (said * visible).T) > 0
    places = (torch.arange(count)[:, None] + torch.arange(1, count + 1)).remainder(count).to(said.device)
    found, first = wrong.gather(1, places).max(1)
    return places.gather(1, first[:, None])[:, 0], found


def divergence(mean: Tensor, log_variance: Tensor, other_mean: Tensor, other_log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of one normal distribution from another, in nats a number."""
    gap = (log_variance.exp() + (mean - other_mean).square()) / other_log_variance.exp()
    return (other_log_variance - log_variance + gap - 1) / 2


def reading_loss(logits: Tensor, said: Tensor) -> Tensor:
    """Return how badly the words that are said are read, logits N V: the mean of -log p over them."""
    return (F.softplus(-logits.float()) * said).sum() / said.sum().clamp_min(1)


def draw(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw from normal distributions: conditioning augmentation (Zhang et al. 2016, section 3.2)."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)
