"""How far convolutions see."""

from __future__ import annotations

import math


def reach(*layers: tuple[int, float]) -> int:
    """Return the reach in input pixels of convolutions in a row, each (kernel side, resolution relative to input)."""
    return math.ceil(sum((side // 2) / resolution for side, resolution in layers))
