"""Composes scenes: which land, sky and things a seed makes, and where they stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from artkit_atelier.classes import GRASS, HILL, MOUNTAIN, ROCK, SAND
from artkit_atelier.furnish import furnish
from artkit_atelier.plan import Basin, Cloud, Curve, Grove, Outline, Peaks, Plan, Ridge, Sun, Winding

Rng = np.random.Generator

KINDS = {"lake": 0.28, "river": 0.16, "coast": 0.2, "valley": 0.13, "plain": 0.12, "highland": 0.11}
HORIZONS = {"plain": (0.5, 0.66), "coast": (0.38, 0.55), "highland": (0.5, 0.62)}
DRAWN_SHARE = 0.2

# How many layers of mountains and of hills a kind has: at least, and fewer than.
MOUNTAINS = {"lake": (1, 4), "highland": (2, 4), "valley": (1, 3), "river": (0, 3), "coast": (0, 3), "plain": (0, 2)}
HILLS = {"lake": (0, 3), "highland": (0, 2), "valley": (2, 4), "river": (1, 3), "coast": (0, 2), "plain": (0, 2)}


def compose(seed: int, drawn: float = DRAWN_SHARE) -> Plan:
    """Return the plan of scene `seed`; a share `drawn` of scenes is flat and simple, as by hand."""
    rng = np.random.default_rng([seed, 0])
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    naive = bool(rng.random() < drawn)
    horizon = float(rng.uniform(*HORIZONS.get(kind, (0.4, 0.56))))
    plan = Plan(
        kind=kind,
        naive=naive,
        horizon=horizon,
        sun=_sun(rng, horizon, naive),
        clouds=_clouds(rng, kind, horizon, naive),
        ridges=_ridges(rng, kind, horizon, naive),
        ground=_ground(rng, kind, horizon, naive),
        soil=GRASS,
    )
    plan = _water(rng, plan)
    plan = replace(plan, path=_path(rng, plan), groves=_groves(rng, plan))
    return replace(plan, things=furnish(rng, plan))


def _seed(rng: Rng) -> int:
    return int(rng.integers(2**31))


def _sun(rng: Rng, horizon: float, naive: bool) -> Sun | None:
    if rng.random() > (0.85 if naive else 0.6):
        return None
    radius = float(rng.uniform(0.06, 0.1) if naive else rng.uniform(0.04, 0.08))
    return Sun(float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, max(0.14, horizon - 0.2))), radius)


def _clouds(rng: Rng, kind: str, horizon: float, naive: bool) -> tuple[Cloud, ...]:
    sort = str(rng.choice(["cumulus", "streak"], p=[0.7, 0.3])) if not naive else "cumulus"
    count = int(rng.integers(0, 6)) + (2 if kind == "plain" else 0)
    clouds = []
    for _ in range(count):
        y = float(rng.uniform(0.06, 0.72)) * horizon
        # Clouds nearer the horizon are farther away, and smaller.
        size = (1.25 - y / horizon) * float(rng.uniform(0.6, 1.3))
        width, height = (0.42 * size, 0.15 * size) if sort == "cumulus" else (0.75 * size, 0.035 * size)
        clouds.append(Cloud(sort, float(rng.uniform(-0.05, 1.25)), y, width, height, _seed(rng)))
    return tuple(sorted(clouds, key=lambda cloud: -cloud.y))


def _ridges(rng: Rng, kind: str, horizon: float, naive: bool) -> tuple[Ridge, ...]:
    """Return mountains, then hills, farthest first."""
    mountains, hills = int(rng.integers(*MOUNTAINS[kind])), int(rng.integers(*HILLS[kind]))
    if naive:
        mountains, hills = min(mountains, 1), min(hills, 1)
    ridges = [_mountain(rng, kind, horizon, 1 - k / max(1, mountains), naive) for k in range(mountains)]
    ridges += [_hill(rng, kind, horizon, 1 - k / max(1, hills), naive) for k in range(hills)]
    return tuple(ridges)


def _mountain(rng: Rng, kind: str, horizon: float, distance: float, naive: bool) -> Ridge:
    tallest = horizon * {"highland": 0.8, "lake": 0.72, "valley": 0.72, "river": 0.6}.get(kind, 0.4)
    top = tallest * (0.55 + 0.45 * distance) * float(rng.uniform(0.7, 1.0))
    count = int(rng.integers(2, 5 if naive else 7))
    peaks = []
    for k in range(count):
        centre = -0.15 + 1.6 * (k + float(rng.uniform(0.1, 0.9))) / count
        height = top * float(rng.uniform(0.5, 1.0))
        peaks.append((centre, height, height * float(rng.uniform(0.9, 1.5)) + 0.14))
    outline = Peaks(horizon + 0.01, tuple(peaks), 0.0 if naive else float(rng.uniform(0.1, 0.17)), _seed(rng))
    snow = float(rng.uniform(0.1, 0.2)) if top > 0.2 and rng.random() < 0.75 else 0.0
    return Ridge(MOUNTAIN, outline, 0.3 + 0.4 * distance, 0.04 + 0.06 * (1 - distance), snow, _seed(rng))


def _hill(rng: Rng, kind: str, horizon: float, distance: float, naive: bool) -> Ridge:
    rise = 0.03 + 0.07 * distance
    bowl = -float(rng.uniform(0.08, 0.2)) * (0.5 + distance) if kind == "valley" else 0.0
    outline = Curve(
        horizon - rise + 0.02, float(rng.uniform(0.03, 0.08)) * (1.5 if naive else 1), float(rng.uniform(1.2, 2.6)),
        1 if naive else 3, float(rng.uniform(-0.06, 0.06)), bowl, seed=_seed(rng),
    )  # fmt: skip
    return Ridge(HILL, outline, 0.1 + 0.32 * distance, 0.1 + 0.12 * (1 - distance), 0.0, _seed(rng))


def _ground(rng: Rng, kind: str, horizon: float, naive: bool) -> Curve:
    rolling = 0.0 if kind == "coast" else 0.012 if naive else 0.02
    return Curve(horizon + 0.015, rolling, float(rng.uniform(1, 2.5)), 1 if naive else 3, seed=_seed(rng))


def _water(rng: Rng, plan: Plan) -> Plan:
    below = 1 - plan.horizon
    octaves = 1 if plan.naive else 4
    if plan.kind == "lake" or (plan.kind == "highland" and rng.random() < 0.5):
        far = plan.horizon + below * float(rng.uniform(0.1, 0.26))
        near = far + below * float(rng.choice([0.22, 0.35, 0.5, 0.9]))
        taper = float(rng.choice([0.0, 0.5, 1.0])) * (near - far)
        tilt = float(rng.uniform(-0.08, 0.08))
        middle = float(rng.uniform(0.35, 0.65))
        beach = float(rng.choice([0.0, 0.012, 0.03, 0.06]))
        basin = Basin(
            Curve(far, 0.01, 2.0, octaves, bowl=taper * 0.3, middle=middle, power=4, seed=_seed(rng)),
            Curve(near, 0.04, 2.2, octaves, tilt, -taper, middle, 4, seed=_seed(rng)), beach,
        )  # fmt: skip
        return replace(plan, basin=basin)
    if plan.kind == "coast":
        far = plan.horizon + float(rng.uniform(0.0, 0.03))
        near = far + below * float(rng.uniform(0.3, 0.6))
        tilt = float(rng.choice([-1, 1])) * float(rng.uniform(0.1, 0.6))
        shore = Curve(near, 0.035, 1.5, octaves, tilt, seed=_seed(rng))
        basin = Basin(Curve(far), shore, float(rng.uniform(0.08, 0.3)))
        return replace(plan, basin=basin, headland=_headland(rng, far, -tilt, plan.naive))
    if plan.kind == "river" or (plan.kind == "valley" and rng.random() < 0.4):
        return replace(plan, river=_winding(rng, float(rng.uniform(0.14, 0.26)), plan.naive))
    return replace(plan, soil=SAND if rng.random() < 0.12 else GRASS)


def _headland(rng: Rng, far: float, side: float, naive: bool) -> Ridge | None:
    """Return a cape that falls towards the middle from the side where `side` points, or none."""
    if rng.random() > 0.65:
        return None
    height, length = float(rng.uniform(0.08, 0.2)), float(rng.uniform(0.3, 0.6))
    peaks = tuple(
        ((0.02 + length * k) if side < 0 else (0.98 - length * k), height * (1 - 0.6 * k), length * (0.75 - 0.3 * k))
        for k in (-0.5, 0.0, 0.55)
    )
    outline = Peaks(far + 0.01, peaks, 0.0 if naive else 0.2, _seed(rng))
    return Ridge(ROCK, outline, 0.22, 0.1, 0.0, _seed(rng))


def _winding(rng: Rng, width: float, naive: bool) -> Winding:
    return Winding(
        start=float(rng.uniform(0.3, 0.7)), end=float(rng.uniform(0.1, 0.9)),
        swing=float(rng.uniform(0.05, 0.15) if naive else rng.uniform(0.15, 0.4)),
        turns=float(rng.uniform(3, 6) if naive else rng.uniform(7, 12)), phase=float(rng.uniform(0, 6.28)), width=width,
    )  # fmt: skip


def _path(rng: Rng, plan: Plan) -> Winding | None:
    likely = {"plain": 0.85, "valley": 0.85, "river": 0.45, "highland": 0.6, "lake": 0.5, "coast": 0.35}[plan.kind]
    if rng.random() > likely:
        return None
    path = _winding(rng, float(rng.uniform(0.06, 0.14)), plan.naive)
    if plan.river:
        away = -1 if plan.river.end > 0.5 else 1
        path = replace(path, start=plan.river.start + 0.22 * away, end=plan.river.end + 0.5 * away, swing=0.08)
    return path


def _groves(rng: Rng, plan: Plan) -> tuple[Grove, ...]:
    """Return woods along hills and along the far edge of the ground."""
    groves = []
    for ridge in plan.ridges:
        if ridge.label == HILL and rng.random() < (0.25 if plan.naive else 0.55):
            groves.append(_grove(rng, ridge.outline, 0.03, ridge.haze, ridge.nearness))
    if plan.kind != "coast" and rng.random() < (0.25 if plan.naive else 0.6):
        groves.append(_grove(rng, plan.ground, 0.06, 0.12, 0.15))
    return tuple(groves)


def _grove(rng: Rng, line: Outline, height: float, haze: float, nearness: float) -> Grove:
    sort = str(rng.choice(["conifer", "round"]))
    height, gaps = height * float(rng.uniform(0.7, 1.5)), float(rng.uniform(-0.6, 0.5))
    return Grove(line, sort, height, gaps, haze, nearness, _seed(rng))
