"""Styles without a picture: swatches drawn from a seed, each a world of marks in many tones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from artkit_nst.swatches.lines import draw_etching, draw_woodcut
from artkit_nst.swatches.pieces import draw_dots, draw_glass, draw_mosaic
from artkit_nst.swatches.strokes import draw_flow, draw_knife, draw_watercolour

SIDE = 512

DRAWERS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "dots": draw_dots,
    "etching": draw_etching,
    "flow": draw_flow,
    "glass": draw_glass,
    "knife": draw_knife,
    "mosaic": draw_mosaic,
    "watercolour": draw_watercolour,
    "woodcut": draw_woodcut,
}
"""Each draws a square of so many pixels and returns H W 3 in [0, 1]."""


def make_swatch(name: str, side: int = SIDE, seed: int = 0) -> Tensor:
    """Draw the style called `name` as 3HW in [0, 1]; the same seed gives the same swatch."""
    drawn = DRAWERS[name](side, np.random.default_rng(seed))
    return torch.from_numpy(drawn.clip(0, 1).astype(np.float32)).movedim(-1, 0).contiguous()
