"""Heaps of balls, of which clouds, crowns of trees and bushes are made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from artkit_atelier.noise import Array

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Heap:
    """Balls at (u, v) with radii along both axes; later balls hide earlier ones."""

    u: Floats
    v: Floats
    radius_u: Floats
    radius_v: Floats

    def surface(self, u: Array, v: Array, ragged: Array | float, blend: float) -> tuple[Array, Array, Array]:
        """Return over the grid (v, u) the thickness (above 0 inside) and which way the surface faces: right, to +v.

        `ragged` is added to every ball's thickness; `blend` in [0, 1] melts the balls into one another.
        """
        body = np.full((len(v), len(u)), -9.0, np.float32)
        side, rise = np.zeros_like(body), np.zeros_like(body)
        for k in range(len(self.u)):
            across = ((u - self.u[k]) / self.radius_u[k]).astype(np.float32)
            down = ((v - self.v[k]) / self.radius_v[k]).astype(np.float32)
            ball = (1 - across**2) - (down**2)[:, None] + ragged
            share = np.clip(ball / np.float32(0.05 + blend), 0, 1)
            np.maximum(body, ball, out=body)
            side += share * (across - side)
            rise += share * (down[:, None] - rise)
        return body, side, rise
