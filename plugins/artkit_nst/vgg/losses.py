"""How far a picture's features are from a style's, and from a photo's; none grows with the size of the picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

RIDGE = 1e-6  # share of the style's spread added to covariances: flat pictures have none


class StyleLoss(ABC):
    """The distance of features (C, N) to those of styles (C, M_i), mixed by shares that sum to 1; about 1 for grey."""

    @abstractmethod
    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None: ...

    @abstractmethod
    def __call__(self, features: Tensor) -> Tensor:
        """Return the loss, a scalar."""


class GramLoss(StyleLoss):
    """Gatys et al. 2016, equations 3 to 5, with Gram matrices divided by the pixels; relative to the style's."""

    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        self.target = _mixed([_second(features) for features in targets], shares)
        self.scale = self.target.square().mean().clamp(min=1e-12)

    def __call__(self, features: Tensor) -> Tensor:
        """Return the relative squared distance of the Gram matrices."""
        return (_second(features) - self.target).square().mean() / self.scale


class WassersteinLoss(StyleLoss):
    """The squared Wasserstein-2 distance between Gaussians of the features (Vincent Li, 2018), relative to the style's.

    |m - m_t|^2 + tr(S + S_t - 2 (S_t^1/2 S S_t^1/2)^1/2); the last trace is the sum of the eigenvalues' roots.
    """

    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        self.mean = _mixed([features.mean(1) for features in targets], shares)
        second = _mixed([_second(features) for features in targets], shares)
        self.scale = second.diagonal().sum().clamp(min=1e-12)
        self.ridge = RIDGE * self.scale * torch.eye(len(second), device=second.device)
        self.covariance = second - torch.outer(self.mean, self.mean) + self.ridge
        values, vectors = torch.linalg.eigh(self.covariance)
        self.root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T

    def __call__(self, features: Tensor) -> Tensor:
        """Return the relative squared distance."""
        mean = features.mean(1)
        covariance = _second(features) - torch.outer(mean, mean) + self.ridge
        eigenvalues = torch.linalg.eigvalsh(self.root @ covariance @ self.root)
        cross = eigenvalues.clamp(min=1e-12 * float(self.scale) ** 2).sqrt().sum()
        spread = covariance.diagonal().sum() + self.covariance.diagonal().sum() - 2 * cross
        return ((mean - self.mean).square().sum() + spread) / self.scale


class SlicedLoss(StyleLoss):
    """The sliced Wasserstein-2 distance (Heitz et al. 2021), along directions drawn once, relative to the style's.

    Styles of other sizes are compared at the same quantiles; mixtures by the shares of their quantiles.
    """

    QUANTILES = 1024
    DIRECTIONS = 128

    def __init__(self, targets: Sequence[Tensor], shares: Sequence[float]) -> None:
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(min(self.DIRECTIONS, 2 * len(targets[0])), len(targets[0]), generator=generator)
        self.directions = (drawn / drawn.norm(dim=1, keepdim=True)).to(targets[0])
        self.target = _mixed([self._sorted(features) for features in targets], shares)
        self.scale = self.target.square().mean().clamp(min=1e-12)

    def __call__(self, features: Tensor) -> Tensor:
        """Return the relative squared distance, averaged over directions and quantiles."""
        return (self._sorted(features) - self.target).square().mean() / self.scale

    def _sorted(self, features: Tensor) -> Tensor:
        ordered = (self.directions @ features).sort(dim=1).values
        return F.interpolate(ordered[None], self.QUANTILES, mode="linear", align_corners=features.shape[1] > 1)[0]


STYLE_LOSSES: dict[str, type[StyleLoss]] = {"gram": GramLoss, "w2": WassersteinLoss, "sliced": SlicedLoss}


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared distance of features (C, N), relative to the photo's (Gatys et al. 2016, equation 1)."""
    return (features - target).square().mean() / target.square().mean().clamp(min=1e-12)


def total_variation(picture: Tensor) -> Tensor:
    """Return the mean squared step between neighbouring pixels of CHW."""
    down, across = picture.diff(dim=-2), picture.diff(dim=-1)
    return (down.square().sum() + across.square().sum()) / picture.numel()


def _second(features: Tensor) -> Tensor:
    return features @ features.T / features.shape[1]


def _mixed(parts: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    return torch.stack([share * part for part, share in zip(parts, shares, strict=True)]).sum(0)
