"""Paints mountains, hills, capes and distant woods onto a canvas."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas
from artkit_atelier.classes import HILL, MOUNTAIN, ROCK, TREE
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import Array, noise_line, noise_plane
from artkit_atelier.plan import Grove, Plan, Ridge


def paint_ridge(canvas: Canvas, ridge: Ridge, horizon: float) -> None:
    """Paint a layer of mountains (faces, gullies, snow) or hills from its outline down."""
    x = canvas.world(ridge.nearness)
    outline = ridge.outline(x)
    rows = canvas.rows(float(outline.min()), min(1.0, max(float(outline.max()), horizon) + 0.1))
    depth = canvas.y[rows][:, None] - outline
    if ridge.label == MOUNTAIN:
        _paint_mountain(canvas, ridge, rows, x, depth, horizon)
    else:
        _paint_hill(canvas, ridge, rows, x, depth)


def _paint_hill(canvas: Canvas, ridge: Ridge, rows: slice, x: Array, depth: Array) -> None:
    y, rng = canvas.y[rows], np.random.default_rng(ridge.seed)
    slope = np.tanh(3 * ridge.outline.slope(x))
    woods = np.clip(noise_plane(rng, y, x, (14, 6), 4, 0.6) - 0.25, 0, 0.3)
    grain = noise_plane(rng, y, x, (60, 60), 2) - 6 * woods
    fade = np.exp(-np.clip(depth, 0, 1) * 7)
    canvas.fill(
        (rows, slice(None)), depth > 0, HILL, MATERIAL["hill"], ridge.haze + 0.1 * (1 - fade), slope * fade * 0.8,
        0.2 + 0.4 * fade, 0.1 * grain,
    )  # fmt: skip


def _paint_mountain(canvas: Canvas, ridge: Ridge, rows: slice, x: Array, depth: Array, horizon: float) -> None:
    y, box = canvas.y[rows], (rows, slice(None))
    rng = np.random.default_rng(ridge.seed)
    # Faces: the slope of the outline, carried down along gullies that wander the farther they run.
    line = np.linspace(-1, 2, 769, dtype=np.float32)
    face = np.tanh(ridge.outline.slope(line) * 1.3).astype(np.float32)
    face = 0.4 * face + 0.6 * np.convolve(face, np.ones(17, np.float32) / 17, "same")
    wander = noise_plane(rng, y, x, (10, 13), 4, 0.6)
    source = x + np.clip(depth, 0, 0.3) * 0.45 * wander
    side = face[np.clip((source + 1) * 256, 0, 768).astype(np.int32)]
    crags = noise_plane(rng, y, x, (22, 30), 3, 0.6)
    rise = (horizon - y)[:, None] + 0.05 * wander + 0.03 * crags
    haze = np.clip(ridge.haze + 0.25 * (1 - np.clip((horizon - y) / 0.22, 0, 1))[:, None], 0, 0.92)
    rock = depth > 0
    canvas.fill(box, rock, MOUNTAIN, MATERIAL["mountain"], haze, side, 0.15 - 0.2 * np.abs(side), 0.14 * crags)
    if ridge.snow:
        snowy = rock & (rise - 0.06 * np.abs(side) > ridge.snow)
        canvas.fill(box, snowy, MOUNTAIN, MATERIAL["snow"], haze * 0.8, side, 0.25, 0.04 * crags)


def paint_headland(canvas: Canvas, plan: Plan) -> None:
    """Paint a rocky cape, with grass on its back, that ends in the sea."""
    ridge = plan.headland
    if not ridge:
        return
    x = canvas.world(ridge.nearness)
    outline, foot = ridge.outline(x), plan.shore + 0.015
    rows = canvas.rows(float(outline.min()), foot)
    y, box = canvas.y[rows], (rows, slice(None))
    rng = np.random.default_rng(ridge.seed)
    depth, crack = y[:, None] - outline, noise_plane(rng, y, x, (8, 40), 4, 0.6)
    side, tone = np.clip(1.2 * crack, -1, 1), 0.14 * noise_plane(rng, y, x, (60, 30), 2)
    cape = (depth > 0) & (y[:, None] < foot) & (outline < foot - 0.01)
    canvas.fill(box, cape, ROCK, MATERIAL["rock"], ridge.haze, side, 0.1, tone)
    turf = cape & (depth < 0.02 + 0.015 * crack)
    canvas.fill(box, turf, HILL, MATERIAL["hill"], ridge.haze, 0.0, 0.5, tone)


def paint_grove(canvas: Canvas, grove: Grove) -> None:
    """Paint a wood along a line: the outline of many small crowns."""
    rng = np.random.default_rng(grove.seed)
    x = canvas.world(grove.nearness)
    feet = grove.line(x)
    pitch = grove.height * (0.42 if grove.sort == "conifer" else 0.75)
    count = int(2.4 / pitch)
    where = (-0.5 + 2.4 * (np.arange(count) + rng.uniform(0, 1, count)) / count).astype(np.float32)
    tall = (grove.height * rng.uniform(0.55, 1.15, count)).astype(np.float32)
    density = noise_line(np.random.default_rng(grove.seed + 1), where, 3, 2)
    where, tall = where[density > grove.gaps], tall[density > grove.gaps]
    if not len(where):
        return
    across = (x[:, None] - where) * canvas.aspect / (tall * (0.3 if grove.sort == "conifer" else 0.55))
    crown = 1 - np.abs(across) if grove.sort == "conifer" else np.sqrt(np.clip(1 - across**2, 0, 1))
    reach = np.where(np.abs(across) < 1, tall * crown, 0)
    owner = reach.argmax(1)
    height = reach.max(1)
    side = np.clip(across[np.arange(len(x)), owner], -1, 1)
    top = feet - height + (0.0 if grove.sort == "conifer" else -0.1 * grove.height * (height > 0))
    rows = canvas.rows(float(top.min()), float(feet.max()) + grove.height * 0.2)
    y = canvas.y[rows]
    leaf = noise_plane(rng, y, x, (70, 90), 2)
    inside = (y[:, None] > top + 0.05 * grove.height * leaf) & (y[:, None] < feet + 0.12 * grove.height) & (height > 0)
    climb = np.clip((feet - y[:, None]) / grove.height, 0, 1)
    material = MATERIAL["needles" if grove.sort == "conifer" else "forest"]
    canvas.fill((rows, slice(None)), inside, TREE, material, grove.haze, side * 0.8, climb * 0.9 - 0.4, 0.2 * leaf)
