"""Colour as a painter strays from it: lightness and chroma apart, so that hue turns without changing the light."""

from __future__ import annotations

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)

_TO_OPPONENT = torch.tensor([_LUMA, (0.5, 0.0, -0.5), (-0.25, 0.5, -0.25)])
"""Rows: luma; orange against blue; green against magenta (YCoCg's chroma with Rec. 601's luma)."""
_FROM_OPPONENT = torch.linalg.inv(_TO_OPPONENT)


def to_opponent(rgb: Tensor) -> Tensor:
    """Return luma and the two chroma axes (3, ...) of colours (3, ...)."""
    return torch.tensordot(_TO_OPPONENT, rgb, dims=1)


def from_opponent(colour: Tensor) -> Tensor:
    """Return the RGB (3, ...) of `to_opponent`'s result, not clamped."""
    return torch.tensordot(_FROM_OPPONENT, colour, dims=1)


def heighten(rgb: Tensor, vividness: float, contrast: float, light: float = 0.0) -> Tensor:
    """Return colours (3, ...) with chroma multiplied by `vividness` and luma stretched around 0.5 by `contrast`.

    `light` is added to a middle luma; black and white stay as they are.
    Strong chroma grows less than weak chroma, so that greys wake up before pure colours clip.
    """
    luma, *chroma = to_opponent(rgb)
    middling = 4 * luma * (1 - luma)
    luma = luma + middling * (1.5 * (contrast - 1) * (luma - 0.5) + light)
    strength = torch.stack(chroma).norm(dim=0)
    gain = 1 + (vividness - 1) * (1 - strength / 0.6).clamp(0.15, 1)
    return from_opponent(torch.stack((luma, chroma[0] * gain, chroma[1] * gain)))


def stray(rgb: Tensor, value: Tensor, hue: Tensor, warmth: Tensor) -> Tensor:
    """Return colours (3, ...) with luma raised by `value`, hue turned by `hue` radians, warmed by `warmth`."""
    luma, orange, green = to_opponent(rgb)
    cos, sin = hue.cos(), hue.sin()
    return from_opponent(torch.stack((luma + value, orange * cos - green * sin + warmth, orange * sin + green * cos)))
