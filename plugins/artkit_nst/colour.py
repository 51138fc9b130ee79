"""Colours as Gaussians: what a style's are like, and how a picture's are carried over to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
RIDGE = 1e-5  # added to every variance: a flat picture has none
MAX_GAIN = 4.0  # a foggy photo may gain contrast; what is only noise must not become a picture


@dataclass(frozen=True)
class Moments:
    """Mean (C) and covariance (C, C) of colours, float64 on the CPU."""

    mean: Tensor
    covariance: Tensor


def moments(picture: Tensor, weights: Tensor | None = None) -> Moments:
    """Return the moments of the colours of CHW; `weights` (HW) says how much each pixel counts, all alike if None."""
    pixels = picture.flatten(1)
    count = pixels.shape[1]
    shares = (
        pixels.new_full((count,), 1 / count) if weights is None else weights.flatten() / weights.sum().clamp(min=1e-8)
    )
    mean = (pixels * shares).sum(1)
    centred = pixels - mean[:, None]
    covariance = (centred * shares) @ centred.T
    return Moments(mean.cpu().double(), covariance.cpu().double())


def pooled(parts: Sequence[Moments], shares: Sequence[float]) -> Moments:
    """Return the moments of a mixture; `shares` sum to 1."""
    mean = torch.stack([share * part.mean for part, share in zip(parts, shares, strict=True)]).sum(0)
    second = [
        share * (part.covariance + torch.outer(part.mean, part.mean)) for part, share in zip(parts, shares, strict=True)
    ]
    return Moments(mean, torch.stack(second).sum(0) - torch.outer(mean, mean))


def transport(picture: Tensor, source: Moments, target: Moments) -> Tensor:
    """Carry CHW with colours like `source` over to colours like `target`, changing them as little as possible.

    The Monge-Kantorovitch map between Gaussians (Pitié and Kokaram 2007, "The linear Monge-Kantorovitch linear colour
    mapping for example-based colour transfer"): x -> T (x - mean_s) + mean_t, T = S^-1/2 (S^1/2 D S^1/2)^1/2 S^-1/2.
    Differs in that no direction gains more than four times its contrast. The result is not clamped.
    """
    ridge = RIDGE * torch.eye(len(source.mean), dtype=torch.float64)
    spread, inverse = _powers(source.covariance + ridge)
    middle, _ = _powers(spread @ (target.covariance + ridge) @ spread)
    gains, directions = torch.linalg.eigh(inverse @ middle @ inverse)
    linear = (directions * gains.clamp(0, MAX_GAIN)) @ directions.T
    shift = target.mean - linear @ source.mean
    return torch.einsum("dc,chw->dhw", linear.to(picture), picture) + shift.to(picture)[:, None, None]


def luma(picture: Tensor) -> Tensor:
    """Return the lightness of 3HW (or the only channel of 1HW) as 1HW."""
    return picture if len(picture) == 1 else torch.einsum("c,chw->hw", picture.new_tensor(LUMA), picture)[None]


def _powers(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the square root of a positive matrix and that root's inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    roots = values.clamp(min=1e-12).sqrt()
    return (vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T
