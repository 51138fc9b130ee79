"""Paints the things that stand on the ground, with the shadows that they cast."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas
from artkit_atelier.classes import GRASS, HILL, PATH, ROCK, SAND
from artkit_atelier.houses import paint_house
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import noise_plane
from artkit_atelier.plan import Plan, Thing, scale
from artkit_atelier.trees import paint_tree

# Half the width and half the depth of each thing's shadow, in its own heights.
_SHADOWS = {
    "conifer": (0.24, 0.06), "round": (0.4, 0.1), "poplar": (0.13, 0.03), "bush": (0.65, 0.15),
    "house": (0.75, 0.12), "church": (0.7, 0.12), "rock": (0.9, 0.2),
}  # fmt: skip


def paint_thing(canvas: Canvas, plan: Plan, thing: Thing) -> None:
    """Paint one thing where it stands."""
    size = thing.size * scale(thing.t)
    x, y = thing.x - canvas.pan * thing.t, plan.foot(thing.x, thing.t)
    haze = 0.3 * float(np.exp(-thing.t * 7)) + 0.01
    rng = np.random.default_rng(thing.seed)
    wide, deep = _SHADOWS[thing.sort]
    away = 1.0 if not plan.sun or plan.sun.x < x else -1.0
    _cast_shadow(canvas, x + away * 0.45 * wide * size / canvas.aspect, y, wide * size, deep * size)
    if thing.sort in ("house", "church"):
        paint_house(canvas, rng, thing.sort, x, y, size, haze, plan.naive)
    elif thing.sort == "rock":
        paint_rock(canvas, rng, x, y, size, haze, plan.naive)
    else:
        paint_tree(canvas, rng, thing.sort, x, y, size, haze, plan.naive)


def _cast_shadow(canvas: Canvas, x: float, y: float, wide: float, deep: float) -> None:
    """Darken the ground by an ellipse about (x, y), half `wide` and `deep` heights across."""
    wide /= canvas.aspect
    box = canvas.box(x - wide, x + wide, y - deep, y + deep)
    if box:
        fall = 1 - ((canvas.x[box[1]] - x) / wide) ** 2 - ((canvas.y[box[0]] - y) / deep)[:, None] ** 2
        ground = np.isin(canvas.labels[box], (GRASS, HILL, SAND, PATH))
        shade = np.maximum(canvas.shadow[box], np.clip(fall * 1.6, 0, 0.75)).astype(np.float32)
        np.copyto(canvas.shadow[box], shade, where=ground)


def paint_rock(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float, haze: float, naive: bool
) -> None:
    """Paint a boulder: a lump with flat faces."""
    wide = 0.95 * size / canvas.aspect
    box = canvas.box(x - wide, x + wide, y - size, y + 0.02 * size)
    if not box:
        return
    u, v = (canvas.x[box[1]] - x) * canvas.aspect / size, (y - canvas.y[box[0]]) / size
    angle = np.arctan2(v[:, None] - 0.25, u)
    corners = np.sort(rng.uniform(-np.pi, np.pi, 9))
    radius = np.interp(angle, corners, rng.uniform(0.8, 1.1, 9), period=2 * np.pi)
    lump = np.sqrt((u / 0.8) ** 2 + ((v[:, None] - 0.2) / 0.72) ** 2) / radius
    facet = corners[np.searchsorted(corners, angle) % 9]
    crack = 0.0 if naive else noise_plane(rng, v, u, (8, 8), 3)
    side, up = 0.75 * np.cos(facet) * lump, np.clip(0.8 * np.sin(facet) * lump + 0.3, -1, 1)
    canvas.fill(box, (lump < 1) & (v > -0.01)[:, None], ROCK, MATERIAL["rock"], haze, side, up, 0.15 * crack)
