"""Paint a rendered scene in one of several named styles: `paint(photo, labels, style, seed)`."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from artkit.errors import OptionError, nearest
from artkit_atelier.painting.brush import paint_strokes
from artkit_atelier.painting.styles import DEFAULT_STYLE, STYLES, StrokeStyle, Style, WashStyle
from artkit_atelier.painting.wash import paint_washes

__all__ = ["DEFAULT_STYLE", "STYLES", "StrokeStyle", "Style", "WashStyle", "paint"]


def paint(
    photo: NDArray[np.float32], labels: NDArray[np.uint8], style: str = DEFAULT_STYLE, seed: int = 0
) -> NDArray[np.float32]:
    """Return a painting (H, W, 3) of a scene, RGB in [0, 1].

    Args:
        photo: The scene as a photo (H, W, 3), RGB in [0, 1].
        labels: Its label map (H, W); strokes follow its borders.
        style: A name in `STYLES`.
        seed: Where the strokes fall. In the default style they are those of `artkit.nn.stroke_noise`.

    Raises:
        OptionError: There is no such style.
    """
    if style not in STYLES:
        raise OptionError(f"There is no style '{style}'.{nearest(style, STYLES)}")
    chosen = STYLES[style]
    picture = torch.tensor(photo, dtype=torch.float32).permute(2, 0, 1).contiguous()
    things = torch.tensor(labels)
    with torch.inference_mode():
        if isinstance(chosen, StrokeStyle):
            painting = paint_strokes(picture, things, chosen, seed)
        else:
            assert isinstance(chosen, WashStyle)
            painting = paint_washes(picture, things, chosen, seed)
    return painting.clamp(0, 1).permute(1, 2, 0).contiguous().numpy()
