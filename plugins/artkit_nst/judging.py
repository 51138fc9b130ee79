"""Whether a picture will do as a style, and a photo for how it is to be painted."""

from __future__ import annotations

import logging

from torch import Tensor
from torch.nn import functional as F

from artkit_nst.colour import luma
from artkit_nst.scales import blur, resize

SIDE = 256  # long side at which pictures are judged
TILE = 16
EMPTY = 0.08  # of the detail in the busiest tiles: less of it is background out of focus
TOO_EMPTY = 0.3  # share of tiles; paintings have 0.15 at most

SMALL, STRONG = 320, 0.75  # pixels of the long side up to which strength above this dissolves small faces

_log = logging.getLogger("artkit.nst")


def warn_of_photo(picture: Tensor, number: int) -> None:
    """Say so when style `number` (3HW) looks like a photo of one object: the painting will be pieces of it."""
    if emptiness(picture) > TOO_EMPTY:
        _log.warning(
            "nst: style %d looks like a photo of one thing before a plain background, and the painting may show "
            "pieces of it: a picture that is painted all over makes a better style.",
            number,
        )


def warn_of_smallness(height: int, width: int, strength: float) -> None:
    """Say so when a photo is too small for what is fine in it to survive so much strength."""
    if max(height, width) <= SMALL and strength > STRONG:
        _log.warning(
            "nst: at %d pixels strength=%g dissolves small faces and thin lines: give a larger picture, or less of it.",
            max(height, width),
            strength,
        )


def emptiness(picture: Tensor) -> float:
    """Return the share of a picture (3HW) that has next to none of the fine detail of its busiest parts."""
    factor = SIDE / max(picture.shape[-2:])
    lightness = luma(picture)
    if factor < 1:
        lightness = resize(
            lightness, (max(1, round(picture.shape[-2] * factor)), max(1, round(picture.shape[-1] * factor)))
        )
    detail = (lightness - blur(lightness, 1.0)).square()
    tiles = F.avg_pool2d(detail[None], TILE, ceil_mode=True, count_include_pad=False).sqrt().flatten()
    busy = float(tiles.quantile(0.9))
    return float((tiles < EMPTY * busy).float().mean())
