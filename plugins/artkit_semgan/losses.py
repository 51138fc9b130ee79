"""SemGAN's losses besides the adversarial one: reconstruction, and the share of each class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

KEEP_REAL, KEEP_FAKE = 0.99, 0.9
"""How much of the running shares of real maps and of fakes one more batch leaves as it was."""
RARE = 0.01
"""Softens the distance of shares of rare classes."""


def cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    """Return the mean cross-entropy a pixel of distributions `shares` N K H W, in nats."""
    return -(shares * F.log_softmax(logits.float(), 1)).sum(1).mean()


def colour_entropy(logits: Tensor, colours: Tensor) -> Tensor:
    """Return the same of colours N 3 H W in [0, 1], each channel for itself: the cross-entropy of so many chances."""
    return F.binary_cross_entropy_with_logits(logits.float(), colours, reduction="none").sum(1).mean()


class ShareLoss:
    """Class-share loss: how far fakes are from covering as much with each class as real maps do, over many batches."""

    def __init__(self, classes: int) -> None:
        self.real, self.fake = torch.zeros(classes), torch.zeros(classes)

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """Take in distributions N K H W and return the distance of the running shares of fakes from those of real maps.

        The distance is chi-square, softened for rare classes. Its gradient is that of these fakes alone, as if they
        made up the whole average.
        """
        self.real = self._mix(self.real, real, KEEP_REAL)
        shares = self._mix(self.fake, fake, KEEP_FAKE)
        self.fake = shares.detach()
        return ((shares - self.real).square() / (self.real + RARE)).sum() / (1 - KEEP_FAKE)

    def _mix(self, old: Tensor, maps: Tensor, keep: float) -> Tensor:
        new = maps.float().mean((0, 2, 3))
        return torch.lerp(new, old.to(new.device), keep) if bool(old.any()) else new

    def state_dict(self) -> dict[str, Tensor]:
        """Return both running shares."""
        return {"real": self.real, "fake": self.fake}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore both running shares."""
        self.real, self.fake = state["real"], state["fake"]
