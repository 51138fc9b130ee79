"""Where a photo has something to say: there the painting keeps to it, elsewhere the style is free."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit_nst.colour import luma
from artkit_nst.scales import blur

FLOOR = 0.05  # even a flat sky holds on to the photo a little
FAINT = 0.01  # contrast below this is noise, however flat the rest is


def saliency(picture: Tensor) -> Tensor:
    """Return 1HW in [FLOOR, 1]: the contrast of CHW around each pixel against its own 85th percentile.

    After the content weights of Elad and Milanfar 2017 ("Style transfer via texture synthesis", section III.E).
    """
    lightness = luma(picture)
    contrast = blur((lightness - blur(lightness, 4)).square(), 1.5).clamp(min=0).sqrt()
    return (contrast / max(_percentile(contrast, 0.85), FAINT)).clamp(FLOOR, 1)


def _percentile(values: Tensor, share: float) -> float:
    """Return the percentile of at most 100,000 evenly spread values: sorting millions would tell no more."""
    flat = values.flatten()
    return float(torch.quantile(flat[:: -(-len(flat) // 100_000)].float(), share))
