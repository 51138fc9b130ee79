"""Paints trees: conifers, poplars, round trees and bushes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from artkit_atelier.canvas import Box, Canvas, Heap
from artkit_atelier.classes import TREE
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import Array, noise_plane

HALF_WIDTH = {"conifer": 0.26, "round": 0.48, "poplar": 0.16, "bush": 0.75}
"""The half width of each sort's frame, in its own heights."""


@dataclass(frozen=True)
class Spot:
    """Where a tree stands: its pixels, u (own heights across from the trunk) and v (0 at the foot, 1 at the top)."""

    box: Box
    u: Array
    v: Array
    haze: float
    naive: bool

    def leaves(self, rng: np.random.Generator, frequency: tuple[float, float]) -> Array:
        """Return the texture of foliage, flat in a naive picture."""
        if self.naive:
            return np.zeros((len(self.v), len(self.u)), np.float32)
        return noise_plane(rng, self.v, self.u, frequency, 3, 0.6)

    def trunk(self, canvas: Canvas, half: Array | float, height: float) -> None:
        """Paint a trunk of this half width up to `height`."""
        mask = (np.abs(self.u) < half) & ((self.v > -0.015) & (self.v < height))[:, None]
        side = np.clip(self.u / 0.03, -1, 1)
        canvas.fill(self.box, mask, TREE, MATERIAL["trunk"], self.haze, side, -0.1, 0.15 * np.sin(self.u * 400))


def paint_tree(
    canvas: Canvas, rng: np.random.Generator, sort: str, x: float, y: float, size: float, haze: float, naive: bool
) -> None:
    """Paint a tree of `size` heights whose foot stands at (x, y)."""
    reach = HALF_WIDTH[sort] * size / canvas.aspect
    box = canvas.box(x - reach, x + reach, y - size, y + 0.02 * size)
    if box:
        u = (canvas.x[box[1]] - x) * canvas.aspect / size
        spot = Spot(box, u, (y - canvas.y[box[0]]) / size, haze, naive)
        {"conifer": _conifer, "poplar": _poplar, "round": _round, "bush": _bush}[sort](canvas, rng, spot)


def _conifer(canvas: Canvas, rng: np.random.Generator, spot: Spot) -> None:
    u, v = spot.u, spot.v[:, None]
    tiers = int(rng.integers(6, 10))
    leaf = spot.leaves(rng, (16, 20))
    down = np.clip((1 - v) / 0.92, 0, 1)
    # Boughs hang lower at their tips: the tier is read a little higher there.
    within = np.full_like(down, 0.5) if spot.naive else (np.clip(down - 0.28 * np.abs(u), 0, 1) * tiers) % 1
    half = 0.215 * down**0.85 * (0.7 + 0.36 * within) * (1 + 0.2 * leaf) + 0.004
    spot.trunk(canvas, 0.022, 0.12)
    inside = (np.abs(u) < half) & (v > 0.07 - 0.1 * np.abs(u)) & (v < 1)
    tone = 0.36 * (within - 0.6) + 0.2 * leaf
    canvas.fill(spot.box, inside, TREE, MATERIAL["needles"], spot.haze, np.clip(u / half, -1, 1), 0.1, tone)


def _poplar(canvas: Canvas, rng: np.random.Generator, spot: Spot) -> None:
    u, v = spot.u, spot.v[:, None]
    leaf = spot.leaves(rng, (14, 24))
    spindle = np.clip(np.sin(np.pi * np.clip((v - 0.05) / 0.95, 0, 1) ** 0.8), 1e-3, 1) ** 0.7
    half = 0.105 * spindle * (1 + 0.25 * leaf)
    spot.trunk(canvas, 0.014, 0.14)
    inside = (np.abs(u) < half) & (v > 0.05) & (v < 1)
    canvas.fill(spot.box, inside, TREE, MATERIAL["forest"], spot.haze, np.clip(u / half, -1, 1), 0.1, 0.25 * leaf)


def _round(canvas: Canvas, rng: np.random.Generator, spot: Spot) -> None:
    bend = 0.012 * np.sin(spot.v * 9 + rng.uniform(0, 6)) if not spot.naive else 0 * spot.v
    spot.trunk(canvas, (0.026 + bend + 0.25 * np.clip(0.09 - spot.v, 0, 1))[:, None], 0.45)
    if spot.naive:
        one = np.ones(1)
        _crown(canvas, rng, spot, Heap(0 * one, 0.65 * one, 0.33 * one, 0.33 * one), 0.63)
        return
    count = int(rng.integers(9, 14))
    angle = np.arange(count) * 2.4 + rng.uniform(0, 6.28)
    ring = 0.25 * np.sqrt((np.arange(count) + 0.3) / count)
    u, v, radius = 1.15 * ring * np.cos(angle), 0.64 + ring * np.sin(angle), rng.uniform(0.11, 0.18, count)
    order = np.argsort(v)
    _crown(canvas, rng, spot, Heap(u[order], v[order], radius[order], radius[order]), 0.63)


def _bush(canvas: Canvas, rng: np.random.Generator, spot: Spot) -> None:
    count = int(rng.integers(5, 9))
    u, v = rng.uniform(-0.45, 0.45, count), rng.uniform(0.15, 0.6, count)
    radius = rng.uniform(0.2, 0.3, count)
    order = np.argsort(v)
    _crown(canvas, rng, spot, Heap(u[order], v[order] - np.abs(u[order]) * 0.5, radius[order], radius[order]), 0.35)


def _crown(canvas: Canvas, rng: np.random.Generator, spot: Spot, heap: Heap, middle: float) -> None:
    """Paint foliage: lower balls lie behind higher ones, so that light tops overlap dark undersides."""
    leaf = spot.leaves(rng, (15, 15))
    body, side, rise = heap.surface(spot.u, spot.v, 0.4 * leaf, 0.15)
    side = 0.5 * side + 0.5 * np.clip(spot.u / 0.4, -1, 1)
    up = 0.45 * rise + 0.55 * np.clip((spot.v - middle) / 0.35, -1, 1)[:, None]
    inside = (body > 0) & (spot.v > 0)[:, None]
    tone = 0.16 * leaf + 0.2 * np.clip(body, 0, 1) - 0.1
    canvas.fill(spot.box, inside, TREE, MATERIAL["leaves"], spot.haze, side, up, tone)
