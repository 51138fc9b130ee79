"""Paints the sun and the clouds of a plan onto a canvas."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas, Heap
from artkit_atelier.classes import CLOUD, SUN
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import Array, noise_plane
from artkit_atelier.plan import Cloud, Plan


def paint_sky(canvas: Canvas, plan: Plan) -> None:
    """Paint the sun and the clouds before it."""
    if plan.sun:
        _disc(canvas, plan.sun.x, plan.sun.y, plan.sun.radius)
    for cloud in plan.clouds:
        paint_cloud(canvas, cloud, plan.naive)


def _disc(canvas: Canvas, x: float, y: float, radius: float) -> None:
    box = canvas.box(x - radius / canvas.aspect, x + radius / canvas.aspect, y - radius, y + radius)
    if box:
        across, down = (canvas.x[box[1]] - x) * canvas.aspect, canvas.y[box[0]] - y
        canvas.fill(box, across**2 + down[:, None] ** 2 < radius**2, SUN, MATERIAL["sun"])


def paint_cloud(canvas: Canvas, cloud: Cloud, naive: bool) -> None:
    """Paint a heap of puffs with a flat foot, or a feathered streak."""
    rng = np.random.default_rng(cloud.seed)
    reach = cloud.width / canvas.aspect * 0.62
    centre = cloud.x - canvas.pan * 0.02
    box = canvas.box(centre - reach, centre + reach, cloud.y - cloud.height * 1.3, cloud.y + cloud.height * 0.75)
    if not box:
        return
    u = (canvas.x[box[1]] - centre) * canvas.aspect / cloud.width
    v = (canvas.y[box[0]] - cloud.y) / cloud.height
    body, side, up = _streak(rng, u, v) if cloud.sort == "streak" else _puffs(rng, u, v, naive)
    # Where another cloud stands behind, no sky shines through.
    behind = np.where(canvas.labels[box] == CLOUD, canvas.tone[box], 0)
    canvas.fill(box, body > 0, CLOUD, MATERIAL["cloud"], 0.0, side, up, np.clip(body, behind, 1))


def _streak(rng: np.random.Generator, u: Array, v: Array) -> tuple[Array, Array, Array]:
    """Return the thickness of a feathered band over (v, u) and which way its surface faces."""
    body = 1 - (2 * u) ** 2 - (1.6 * (v[:, None] + 0.3 * u)) ** 2 + 0.8 * noise_plane(rng, v * 0.4, u, (3, 3), 3)
    flat = np.zeros_like(body)
    return body, flat, flat + np.clip(-0.5 * v[:, None], -1, 1)


def _puffs(rng: np.random.Generator, u: Array, v: Array, naive: bool) -> tuple[Array, Array, Array]:
    """Return the thickness of a heap of balls over (v, u) and which way its surface faces."""
    count = int(rng.integers(3, 5)) if naive else int(rng.integers(14, 22))
    cu = rng.permutation(np.linspace(-0.4, 0.4, count)) + rng.uniform(-0.03, 0.03, count)
    heap = 1 - (cu / 0.5) ** 2
    radius = (0.09 + 0.1 * heap) * (1.4 if naive else rng.uniform(0.6, 1.15, count))
    cv = 0.35 - heap * (0.35 if naive else rng.uniform(0.0, 1.1, count))
    ratio = 2.8  # a ball is round on screen: v runs faster than u by the cloud's own shape
    order = np.argsort(cv)
    ragged = 0.0 if naive else 0.3 * noise_plane(rng, v / ratio, u, (8, 8), 4, 0.6)
    balls = Heap(cu[order], cv[order], radius[order], radius[order] * ratio)
    body, side, down = balls.surface(u, v, ragged, 0.6)
    if not naive:
        body = np.minimum(body, (0.6 - v[:, None]) * 2 + ragged)
    lift = np.clip(-v * 0.55, -0.7, 0.7)[:, None]
    return body, np.clip(side, -1, 1) * 0.6, np.clip(0.15 - 0.45 * down + lift + 0.5 * ragged, -1, 1)
