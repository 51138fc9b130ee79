"""Paints trees, houses and rocks: silhouettes with the directions that their surfaces face."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas, Mask
from artkit_atelier.classes import GRASS, HILL, HOUSE, PATH, ROCK, SAND, TREE
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import Array, noise_plane
from artkit_atelier.plan import Plan, Thing, scale

Points = list[tuple[float, float]]


def paint_thing(canvas: Canvas, plan: Plan, thing: Thing) -> None:
    """Paint one thing, with the shadow that it casts on the ground."""
    size = thing.size * scale(thing.t)
    x, y = thing.x - canvas.pan * thing.t, plan.foot(thing.x, thing.t)
    haze = 0.3 * float(np.exp(-thing.t * 7)) + 0.01
    rng = np.random.default_rng(thing.seed)
    light = (plan.sun.x - x) if plan.sun else -1.0
    if thing.sort in ("house", "church"):
        _shadow(canvas, x, y, size * 0.75, size * 0.12, -np.sign(light) * size * 0.35)
        paint_house(canvas, rng, x, y, size, haze, thing.sort == "church", plan.naive)
    elif thing.sort == "rock":
        _shadow(canvas, x, y, size * 0.9, size * 0.2, -np.sign(light) * size * 0.25)
        _rock(canvas, rng, x, y, size, haze, plan.naive)
    else:
        wide = {"conifer": 0.22, "round": 0.36, "poplar": 0.12, "bush": 0.7}[thing.sort]
        _shadow(canvas, x, y, size * wide, size * wide * 0.25, -np.sign(light) * size * wide * 0.5)
        paint = _conifer if thing.sort == "conifer" else _poplar if thing.sort == "poplar" else _crown
        paint(canvas, rng, x, y, size, haze, plan.naive, *([thing.sort == "bush"] if paint is _crown else []))


def _shadow(canvas: Canvas, x: float, y: float, wide: float, deep: float, shift: float) -> None:
    """Darken the ground by an ellipse about the foot, leaning away from the light."""
    wide_x, x = wide / canvas.aspect, x + shift / canvas.aspect
    box = canvas.box(x - wide_x, x + wide_x, y - deep, y + deep)
    if box:
        fall = 1 - ((canvas.x[box[1]] - x) / wide_x) ** 2 - ((canvas.y[box[0]] - y) / deep)[:, None] ** 2
        ground = np.isin(canvas.labels[box], (GRASS, HILL, SAND, PATH))
        shade = np.maximum(canvas.shadow[box], np.clip(fall * 1.6, 0, 0.75)).astype(np.float32)
        np.copyto(canvas.shadow[box], shade, where=ground)


def _frame(
    canvas: Canvas, x: float, y: float, wide: float, tall: float
) -> tuple[tuple[slice, slice], Array, Array] | None:
    """Return the pixels of an upright frame about a foot at (x, y), with u (heights across) and v (1 top to 0 foot)."""
    box = canvas.box(x - wide / canvas.aspect, x + wide / canvas.aspect, y - tall, y + 0.02 * tall)
    if not box:
        return None
    u = (canvas.x[box[1]] - x) * canvas.aspect / tall
    v = (y - canvas.y[box[0]]) / tall
    return box, u, v


def _conifer(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float, haze: float, naive: bool
) -> None:
    framed = _frame(canvas, x, y, size * 0.26, size)
    if not framed:
        return
    box, u, v = framed
    tiers = int(rng.integers(6, 10))
    down = np.clip((1 - v) / 0.92, 0, 1)
    within = (down * tiers) % 1 if not naive else np.full_like(down, 0.5)
    leaf = noise_plane(rng, v, u, (18, 18), 2) if not naive else np.zeros((len(v), len(u)), np.float32)
    half = (0.21 * down**0.85 * (0.72 + 0.36 * within))[:, None] * (1 + 0.22 * leaf) + 0.004
    trunk = (np.abs(u) < 0.022) & (v < 0.12)[:, None] & (v > -0.01)[:, None]
    canvas.fill(box, trunk, TREE, MATERIAL["trunk"], haze, np.clip(u / 0.022, -1, 1), 0.0)
    # The branches of a tier droop at its ends, so its hem is an arc.
    hem = (v[:, None] > 0.08 - 0.6 * np.abs(u) * 0.1) & (v < 1)[:, None]
    tone = 0.3 * (within - 0.55)[:, None] + 0.22 * leaf
    canvas.fill(box, (np.abs(u) < half) & hem, TREE, MATERIAL["needles"], haze, np.clip(u / half, -1, 1), 0.1, tone)


def _poplar(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float, haze: float, naive: bool
) -> None:
    framed = _frame(canvas, x, y, size * 0.16, size)
    if not framed:
        return
    box, u, v = framed
    leaf = noise_plane(rng, v, u, (14, 24), 2) if not naive else np.zeros((len(v), len(u)), np.float32)
    spindle = np.clip(np.sin(np.pi * np.clip((v - 0.05) / 0.95, 0, 1) ** 0.8), 0, 1) ** 0.7
    half = (0.105 * spindle)[:, None] * (1 + 0.2 * leaf) + 1e-4
    trunk = (np.abs(u) < 0.014) & (v < 0.14)[:, None] & (v > -0.01)[:, None]
    canvas.fill(box, trunk, TREE, MATERIAL["trunk"], haze, np.clip(u / 0.014, -1, 1), 0.0)
    canvas.fill(box, np.abs(u) < half, TREE, MATERIAL["forest"], haze, np.clip(u / half, -1, 1), 0.1, 0.25 * leaf)


def _crown(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float, haze: float, naive: bool, bush: bool
) -> None:
    """Paint a round tree: balls of leaves above a trunk; a bush has no trunk."""
    framed = _frame(canvas, x, y, size * (0.75 if bush else 0.48), size)
    if not framed:
        return
    box, u, v = framed
    if not bush:
        spread = 0.03 + 0.03 * np.clip(0.08 - v, 0, 1)[:, None] * 8
        trunk = (np.abs(u + 0.01 * np.sin(v * 9)[:, None]) < spread) & (v < 0.45)[:, None] & (v > -0.015)[:, None]
        canvas.fill(box, trunk, TREE, MATERIAL["trunk"], haze, np.clip(u / 0.03, -1, 1), 0.0)
    count = 1 if naive and not bush else 9
    angle = np.arange(count) * 2.4 + rng.uniform(0, 6.28)
    ring = np.zeros(1) if count == 1 else 0.235 * np.sqrt((np.arange(count) + 0.3) / count)
    centre_v, squash = (0.38, 1.3) if bush else (0.63, 1.0)
    cu, cv = ring * np.cos(angle) * (1.7 if bush else 1.15), centre_v + ring * np.sin(angle) * squash
    radius = np.full(1, 0.33) if count == 1 else rng.uniform(0.14, 0.2, count) * (1.25 if bush else 1.0)
    ragged = 0 if naive else 0.4 * noise_plane(rng, v, u, (16, 16), 2)
    body = np.full((len(v), len(u)), -9.0, np.float32)
    side, up = np.zeros_like(body), np.zeros_like(body)
    # Lower balls lie behind higher ones, so that light tops overlap dark undersides.
    for k in np.argsort(cv):
        across = ((u - cu[k]) / radius[k]).astype(np.float32)
        rise = ((v - cv[k]) / radius[k]).astype(np.float32)[:, None]
        ball = 1 - across**2 - rise**2 + ragged
        front = ball > np.minimum(body, 0.0)
        np.copyto(body, ball, where=front)
        np.copyto(side, np.broadcast_to(across, body.shape), where=front)
        np.copyto(up, np.broadcast_to(rise, body.shape), where=front)
    whole = np.clip(u / 0.4, -1, 1), np.clip((v - centre_v) / 0.35, -1, 1)[:, None]
    side, up = 0.5 * side + 0.5 * whole[0], 0.45 * up + 0.55 * whole[1]
    tone = 0.22 * np.clip(body, 0, 1) - 0.12 + (0.3 * ragged if not naive else 0)
    canvas.fill(box, (body > 0) & (v > 0)[:, None], TREE, MATERIAL["leaves"], haze, side, up, tone)


def _rock(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float, haze: float, naive: bool
) -> None:
    """Paint a boulder: a facetted lump."""
    framed = _frame(canvas, x, y, size * 0.95, size)
    if not framed:
        return
    box, u, v = framed
    angle = np.arctan2(v[:, None] - 0.25, u)
    corners = np.sort(rng.uniform(-np.pi, np.pi, 9))
    radius = np.interp(angle, corners, rng.uniform(0.82, 1.08, 9), period=2 * np.pi)
    lump = np.sqrt((u / 0.8) ** 2 + ((v[:, None] - 0.2) / 0.72) ** 2) / radius
    facet = corners[np.searchsorted(corners, angle) % 9]
    crack = 0 if naive else noise_plane(rng, v, u, (8, 8), 3)
    side, up = 0.75 * np.cos(facet) * lump, np.clip(0.8 * np.sin(facet) * lump + 0.2, -1, 1)
    canvas.fill(box, (lump < 1) & (v > -0.01)[:, None], ROCK, MATERIAL["rock"], haze, side, up, 0.15 * crack)


def _polygon(canvas: Canvas, points: Points) -> tuple[tuple[slice, slice], Mask] | None:
    """Return the pixels of a convex polygon, its corners in order."""
    xs, ys = zip(*points, strict=True)
    box = canvas.box(min(xs), max(xs), min(ys), max(ys))
    if not box:
        return None
    x, y = canvas.x[box[1]], canvas.y[box[0]][:, None]
    turns = []
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        turns.append((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0) >= 0)
    return box, np.logical_and.reduce(turns) | ~np.logical_or.reduce(turns)


def paint_house(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float, haze: float, church: bool, naive: bool
) -> None:
    """Paint a house seen at an angle: gable wall, long wall, roof, door, windows; a church has a tower with a spire."""
    flip = 1 if rng.random() < 0.5 else -1
    front, long, wall = 0.42, float(rng.uniform(0.5, 0.75)), 0.42
    peak, drop = (0.36 if church else 0.3), 0.04

    def part(points: Points, material: str, side: float, up: float, tone: float = 0.0) -> None:
        placed = [(x + flip * (u - 0.55) * size / canvas.aspect, y - v * size) for u, v in points]
        area = _polygon(canvas, placed)
        if area:
            canvas.fill(*area, HOUSE, MATERIAL[material], haze, side * flip, up, tone)

    if naive:
        part([(0.1, 0), (1, 0), (1, 0.5), (0.1, 0.5)], "wall", 0, 0.1)
        part([(0, 0.5), (1.1, 0.5), (0.55, 1)], "roof", 0, 0.4)
    else:
        end, ridge = front + long, wall + peak
        if church:
            _tower(part, front)
        part([(0, 0), (front, 0), (front, wall), (0, wall)], "wall", -0.5, 0.0)
        part([(0, wall), (front, wall), (front / 2, ridge)], "wall", -0.5, 0.0)
        part([(front, 0), (end, drop), (end, wall + drop * 0.5), (front, wall)], "wall", 0.6, 0.0)
        part([(end - 0.2, wall), (end - 0.12, wall), (end - 0.12, ridge + 0.1), (end - 0.2, ridge + 0.1)], "roof", 0, -0.3)
        eave = [(front / 2, ridge + 0.02), (front + 0.04, wall - 0.05), (end + 0.03, wall - 0.03), (end - 0.2, ridge)]
        part(eave, "roof", 0.25, 0.5)
        part([(front / 2, ridge + 0.03), (front / 2, ridge - 0.03), (-0.04, wall - 0.06), (-0.05, wall)], "roof", -0.5, 0.2)
        for k in range(2):
            left = front + (k + 0.6) * long / 2.6
            part([(left, 0.2), (left + 0.09, 0.2), (left + 0.09, 0.32), (left, 0.32)], "window", 0.5, 0)
    middle = 0.5 if naive else front / 2 - 0.05
    part([(middle, 0), (middle + 0.11, 0), (middle + 0.11, 0.22), (middle, 0.22)], "door", 0, 0)
    for left in (0.2, 0.75) if naive else (middle,):
        top = 0.24 if naive else 0.36
        part([(left, top), (left + 0.12, top), (left + 0.12, top + 0.13), (left, top + 0.13)], "window", 0, 0)


def _tower(part: object, front: float) -> None:
    assert callable(part)
    left, right = front * 0.2, front * 0.8
    part([(left, 0), (right, 0), (right, 1.1), (left, 1.1)], "wall", -0.3, 0.0)
    part([(left - 0.04, 1.1), (right + 0.04, 1.1), ((left + right) / 2, 1.75)], "roof", -0.2, 0.3)
