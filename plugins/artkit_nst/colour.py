"""Colour transfer between Gaussians of colours, to a style's or back to the photo's own.

`transport` carries a picture to a style's colours; `keep_luminance` and `keep_palette` give a painting the photo's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from artkit_nst.patches import Source
from artkit_nst.pyramid import blur

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
RIDGE = 1e-5  # added to every variance: a flat picture has none
MAX_GAIN = 4.0  # a foggy photo may gain contrast; what is only noise must not become a picture
SMEAR = 1.0  # sigma of the photo's colours, in pixels: strokes shall not show its every pixel


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


def keep_luminance(photo: Tensor, painted: Tensor) -> Tensor:
    """Make a painting of lightness (1HW) as light and contrasty as the photo (3HW), and put the photo's colours back.

    After Gatys et al. 2016 ("Preserving color in neural artistic style transfer", section 3.2). Differs in that the
    painting is fitted to the photo's lightness, not the style before it, so that a style is made ready once for all.
    """
    grey = luma(photo)
    painted = transport(painted, moments(painted), moments(grey))
    return (painted + blur(photo - grey, SMEAR)).clamp(0, 1)


def keep_palette(photo: Tensor, painted: Tensor) -> Tensor:
    """Carry a painting (3HW) over to the colours of the photo."""
    return transport(painted, moments(painted), moments(photo)).clamp(0, 1)


def grey_sources(sources: Sequence[Source]) -> list[Source]:
    """Return styles with their lightness alone (1HW)."""
    return [Source(luma(source.picture), source.share, source.regions) for source in sources]
