"""Paints the ground with its paths, beaches and water onto a canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from artkit_atelier.canvas import Box, Canvas, Mask
from artkit_atelier.classes import PATH, SAND, WATER
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import Array, noise_line, noise_plane, texture
from artkit_atelier.plan import Basin, Plan, Winding


@dataclass(frozen=True)
class Land:
    """The rows of a canvas that show ground: how near each pixel is, where land begins, air, and the soil's grain."""

    canvas: Canvas
    box: Box
    y: Array
    near: Array
    inside: Mask
    haze: Array
    coarse: Array
    fine: Array

    def lay(self, mask: Mask, label: int, material: str, up: float = 0.3, tone: Array | float = 0.0) -> None:
        """Cover the pixels of `mask` with a material."""
        self.canvas.fill(self.box, mask, label, MATERIAL[material], self.haze, 0.0, up, tone)

    def along(self, winding: Winding, wide: float, ragged: bool) -> Mask:
        """Return where a river or path runs, `wide` times its width; `ragged` edges follow the soil's grain."""
        across = np.abs(self.canvas.x + self.canvas.pan * self.near - winding.centre(self.near)) * self.canvas.aspect
        nibbled = 1 + 0.12 * self.coarse if ragged else 1.0
        return self.inside & (across < winding.half_width(self.near) * wide * nibbled)


def paint_ground(canvas: Canvas, plan: Plan, seed: int) -> None:
    """Paint the soil, then paths, then beaches and water."""
    rng = np.random.default_rng(seed)
    land = _survey(canvas, plan, rng)
    swell = noise_plane(rng, land.y[:, 0], canvas.world(0.4), (7, 2), 2)
    tufts = 0.03 if plan.soil == SAND else 0.1
    soil = MATERIAL["sand" if plan.soil == SAND else "grass"]
    tone = 0.05 * land.coarse + 0.05 * swell + tufts * land.fine
    canvas.fill(land.box, land.inside, plan.soil, soil, land.haze, 0.5 * swell, 0.35, tone)
    if plan.path:
        gravel = 0.05 * land.coarse + 0.04 * land.fine
        land.lay(land.along(plan.path, 1.0, not plan.naive), PATH, "path", 0.35, gravel)
    if plan.basin:
        _paint_basin(land, plan, plan.basin, rng)
    if plan.river:
        land.lay(land.along(plan.river, 1.25, not plan.naive), SAND, "sand", tone=0.05 * land.coarse)
        land.lay(land.along(plan.river, 1.0, not plan.naive), WATER, "water")


def _survey(canvas: Canvas, plan: Plan, rng: np.random.Generator) -> Land:
    edge = plan.ground(canvas.world(0.1))
    rows = canvas.rows(float(edge.min()))
    y = canvas.y[rows]
    near = np.clip((y[:, None] - edge) / (1 - edge), 0, 1)
    return Land(
        canvas=canvas,
        box=(rows, slice(None)),
        y=y[:, None],
        near=near,
        inside=y[:, None] > edge,
        haze=np.float32(0.34) * np.exp(-near * 7) + np.float32(0.02),
        coarse=texture(rng, y, canvas.world(0.6), plan.horizon, 9, 2.2),
        fine=texture(rng, y, canvas.world(0.6), plan.horizon, 34, 0.5),
    )


def _paint_basin(land: Land, plan: Plan, basin: Basin, rng: np.random.Generator) -> None:
    """Paint a lake or the sea, with its beach, and foam where the sea breaks."""
    canvas, y = land.canvas, land.y
    far = basin.far(canvas.world(plan.nearness(basin.far.base)))
    near = basin.near(canvas.world(plan.nearness(basin.near.base)))
    wet = (y > far) & (y < near)
    if basin.beach:
        wobble = noise_line(rng, canvas.world(0.5), 2.5, 1 if plan.naive else 3)
        beach = basin.beach * np.clip(1 + 0.5 * wobble, 0.2, 2)
        rim = (y > far - 0.15 * beach) & (y < near + beach * (1 + 0.04 * land.coarse)) & (near > far - beach)
        land.lay(rim & land.inside, SAND, "sand", tone=0.05 * land.coarse)
    sea = plan.kind == "coast"
    land.lay(wet if sea else wet & land.inside, WATER, "water")
    if sea:
        surf = 0.02 * np.clip(1 + land.coarse, 0.2, 2) * (near - plan.horizon) / (1 - plan.horizon)
        land.lay(wet & (y > near - surf), WATER, "foam", tone=0.05 * land.coarse)
