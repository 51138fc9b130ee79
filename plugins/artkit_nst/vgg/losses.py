"""Style losses between statistics of features, and total variation; none grows with the size of the picture.

The statistics are sums over places: those of the parts of a picture add up to the whole's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

RIDGE = 1e-6  # share of the style's spread added to covariances: flat pictures have none


class StyleLoss(ABC):
    """The distance of statistics to those of styles, mixed by shares that sum to 1; about 1 for a grey picture."""

    sample: ClassVar[int | None] = None
    """How many places are looked at, at most; None: all."""

    @abstractmethod
    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        """Take the statistics of each style."""

    @staticmethod
    @abstractmethod
    def gather(features: Tensor, slots: Tensor, count: int) -> Tensor:
        """Return what features (C, n) add to the statistics of `count` of them; `slots` (n) numbers these."""

    @abstractmethod
    def __call__(self, statistics: Tensor) -> Tensor:
        """Return the loss, a scalar."""

    @classmethod
    def measure(cls, features: Tensor) -> Tensor:
        """Return the statistics of features (C, N) by themselves."""
        count = features.shape[1]
        return cls.gather(features, torch.arange(count, device=features.device), count)


class _MomentLoss(StyleLoss):
    """One that looks at moments: the mean of f f^T over features f with a 1 below (C + 1, C + 1)."""

    @staticmethod
    def gather(features: Tensor, slots: Tensor, count: int) -> Tensor:
        """Return the sum of f f^T, divided by `count`."""
        padded = torch.cat([features, torch.ones_like(features[:1])])
        return padded @ padded.T / count


class GramLoss(_MomentLoss):
    """Gatys et al. 2016, equations 3 to 5, with Gram matrices divided by the pixels; relative to the style's."""

    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        self.target = _mixed(targets, shares)[:-1, :-1]
        self.scale = self.target.square().mean().clamp(min=1e-12)

    def __call__(self, statistics: Tensor) -> Tensor:
        """Return the relative squared distance of the Gram matrices."""
        return (statistics[:-1, :-1] - self.target).square().mean() / self.scale


class WassersteinLoss(_MomentLoss):
    """The squared Wasserstein-2 distance between Gaussians of the features (Vincent Li, 2018), relative to the style's.

    |m - m_t|^2 + tr(S + S_t - 2 (S_t^1/2 S S_t^1/2)^1/2); the last trace is the sum of the eigenvalues' roots.
    """

    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        mixed = _mixed(targets, shares)
        self.mean, second = mixed[:-1, -1], mixed[:-1, :-1]
        self.scale = second.diagonal().sum().clamp(min=1e-12)
        self.ridge = RIDGE * self.scale * torch.eye(len(second), device=second.device)
        self.covariance = second - torch.outer(self.mean, self.mean) + self.ridge
        values, vectors = torch.linalg.eigh(self.covariance)
        self.root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T

    def __call__(self, statistics: Tensor) -> Tensor:
        """Return the relative squared distance."""
        mean = statistics[:-1, -1]
        covariance = statistics[:-1, :-1] - torch.outer(mean, mean) + self.ridge
        eigenvalues = torch.linalg.eigvalsh(self.root @ covariance @ self.root)
        cross = eigenvalues.clamp(min=1e-12 * float(self.scale.detach()) ** 2).sqrt().sum()
        spread = covariance.diagonal().sum() + self.covariance.diagonal().sum() - 2 * cross
        return ((mean - self.mean).square().sum() + spread) / self.scale


class SlicedLoss(StyleLoss):
    """The sliced Wasserstein-2 distance (Heitz et al. 2021), along directions drawn once, relative to the style's.

    Its statistics are the features themselves, of some places: others at every step where there are more than enough.
    Styles of other sizes are compared at the same quantiles; mixtures by the shares of their quantiles.
    """

    sample = 16_384
    QUANTILES = 1024
    DIRECTIONS = 128

    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(min(self.DIRECTIONS, 2 * len(targets[0])), len(targets[0]), generator=generator)
        self.directions = (drawn / drawn.norm(dim=1, keepdim=True)).to(targets[0])
        self.target = _mixed([self._sorted(features) for features in targets], shares)
        self.scale = self.target.square().mean().clamp(min=1e-12)

    @staticmethod
    def gather(features: Tensor, slots: Tensor, count: int) -> Tensor:
        """Put the features into their slots."""
        return features.new_zeros(len(features), count).index_copy(1, slots, features)

    def __call__(self, statistics: Tensor) -> Tensor:
        """Return the relative squared distance, averaged over directions and quantiles."""
        return (self._sorted(statistics) - self.target).square().mean() / self.scale

    def _sorted(self, features: Tensor) -> Tensor:
        ordered = (self.directions @ features).sort(dim=1).values
        return F.interpolate(ordered[None], self.QUANTILES, mode="linear", align_corners=features.shape[1] > 1)[0]


STYLE_LOSSES: dict[str, type[StyleLoss]] = {"gram": GramLoss, "w2": WassersteinLoss, "sliced": SlicedLoss}


def total_variation(picture: Tensor) -> Tensor:
    """Return the mean squared step between neighbouring pixels of CHW."""
    down, across = picture.diff(dim=-2), picture.diff(dim=-1)
    return (down.square().sum() + across.square().sum()) / picture.numel()


def _mixed(parts: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    return torch.stack([share * part for part, share in zip(parts, shares, strict=True)]).sum(0)
