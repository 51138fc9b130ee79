"""Furnishes a landscape with trees, houses and rocks."""

from __future__ import annotations

import numpy as np

from artkit_atelier.plan import Plan, Thing

Rng = np.random.Generator

SIZES = {
    "conifer": (0.45, 0.7), "round": (0.4, 0.55), "poplar": (0.5, 0.7), "bush": (0.09, 0.15),
    "house": (0.43, 0.55), "church": (0.5, 0.6), "rock": (0.08, 0.21),
}  # fmt: skip
_TRIES = 12


def furnish(rng: Rng, plan: Plan) -> tuple[Thing, ...]:
    """Return the things that stand on a plan's ground, farthest first."""
    things = _village(rng, plan) + _trees(rng, plan) + _rocks(rng, plan)
    if not plan.naive and rng.random() < 0.45:
        things += _frame(rng)
    return tuple(sorted(things, key=lambda thing: thing.t))


def _thing(rng: Rng, sort: str, x: float, t: float) -> Thing:
    return Thing(sort, x, t, float(rng.uniform(*SIZES[sort])), int(rng.integers(2**31)))


def _spot(rng: Rng, plan: Plan, low: float, high: float) -> tuple[float, float] | None:
    """Return a free place with nearness in [low, high], or None if tries run out."""
    for _ in range(_TRIES):
        x, t = float(rng.uniform(0.0, 1.3)), float(rng.uniform(low, high))
        if plan.free(x, t):
            return x, t
    return None


def _village(rng: Rng, plan: Plan) -> list[Thing]:
    """Return no house, a lone one, or up to nine together, perhaps with a church."""
    count = int(rng.choice([0, 1, 2, 3, 5, 9], p=[0.22, 0.27, 0.17, 0.14, 0.12, 0.08]))
    middle = _spot(rng, plan, 0.05, 0.3 if count > 3 else 0.45)
    if not count or not middle:
        return []
    middle = (0.12 + 0.6 * middle[0], middle[1])
    houses: list[Thing] = []
    for k in range(count):
        for _ in range(_TRIES):
            spread = (0.0 if k == 0 else 0.09 * count**0.6) * (0.4 + middle[1])
            x = middle[0] + float(rng.normal(0, 1)) * spread
            t = float(np.clip(middle[1] + rng.normal(0, 0.04 if k else 0), 0.03, 0.6))
            if plan.free(x, t) and all(abs(x - house.x) > 0.2 * (0.2 + t) for house in houses):
                sort = "church" if count >= 3 and k == 1 and not plan.naive else "house"
                houses.append(_thing(rng, sort, x, t))
                break
    return houses


def _trees(rng: Rng, plan: Plan) -> list[Thing]:
    groups = int(rng.integers(1, 4)) if plan.naive else int(rng.integers(1, 6))
    sorts = ["conifer", "round", "poplar"]
    wild = [0.6, 0.3, 0.1] if plan.kind in ("highland", "lake") else [0.3, 0.5, 0.2]
    trees: list[Thing] = []
    for _ in range(groups):
        middle = _spot(rng, plan, 0.02, 0.55)
        if not middle:
            continue
        sort = str(rng.choice(sorts, p=wild))
        count = int(rng.integers(1, 3 if plan.naive else 8))
        for _ in range(count):
            x = middle[0] + float(rng.normal(0, 0.09)) * (0.35 + middle[1])
            t = float(np.clip(middle[1] + rng.normal(0, 0.05), 0.01, 0.9))
            if plan.free(x, t):
                trees.append(_thing(rng, sort, x, t))
    return trees + _bushes(rng, plan)


def _bushes(rng: Rng, plan: Plan) -> list[Thing]:
    spots = [_spot(rng, plan, 0.1, 0.9) for _ in range(0 if plan.naive else int(rng.integers(0, 7)))]
    return [_thing(rng, "bush", *spot) for spot in spots if spot]


def _rocks(rng: Rng, plan: Plan) -> list[Thing]:
    """Return boulders; in water they may stand too."""
    rocky = plan.kind in ("highland", "coast", "lake")
    groups = int(rng.integers(0, 2 if plan.naive else 5 if rocky else 3))
    rocks = []
    for _ in range(groups):
        x0, t0 = float(rng.uniform(0, 1.2)), float(rng.uniform(0.15, 0.95))
        for _ in range(int(rng.integers(1, 5))):
            x = x0 + float(rng.normal(0, 0.08)) * (0.3 + t0)
            t = float(np.clip(t0 + rng.normal(0, 0.05), 0.05, 1.0))
            if not (plan.path and plan.path.crosses(x, t, 0.1)):
                rocks.append(_thing(rng, "rock", x, t))
    return rocks


def _frame(rng: Rng) -> list[Thing]:
    """Return a large tree or two close by at one side, as painters frame a view."""
    x = float(rng.choice([0.04, 0.95])) + float(rng.uniform(-0.06, 0.06))
    sort = str(rng.choice(["conifer", "round", "round"]))
    return [Thing(sort, x, 0.93, float(rng.uniform(0.75, 1.0)), int(rng.integers(2**31)))]
