"""Sentences about scenes, from what their label maps really show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from artkit_atelier.classes import CLOUD, HILL, HOUSE, MOUNTAIN, PATH, ROCK, SAND, SUN, TREE, WATER
from artkit_atelier.plan import Plan

_LAND = {
    "lake": ("a lake", "a quiet lake", "a still lake"),
    "river": ("a winding river", "a river", "a slow river"),
    "coast": ("a sandy coast", "the sea and a beach", "a bay by the sea"),
    "valley": ("a valley", "a green valley", "a wide valley"),
    "plain": ("a plain", "open meadows", "a wide plain"),
    "highland": ("a highland meadow", "a mountain meadow", "a high pasture"),
}
_TIME = {
    "morning": ("in the morning", "in early morning light"),
    "noon": ("at noon", "in the middle of the day"),
    "golden": ("in golden evening light", "in the golden hour"),
    "dusk": ("at dusk", "after sunset"),
}
_WEATHER = {"clear": "", "cloudy": "", "overcast": " under a grey sky", "misty": " in the mist"}
_TREES = {"conifer": "pines", "round": "trees", "poplar": "poplars"}


def describe(plan: Plan, labels: npt.NDArray[np.uint8], time: str, weather: str) -> str:
    """Return one sentence about a scene: the land, what rises behind it, the light, and what stands on it."""
    share = np.bincount(labels.ravel(), minlength=12) / labels.size
    word = np.random.default_rng([plan.clouds[0].seed if plan.clouds else 0, len(plan.things)])
    land, hour = str(word.choice(_LAND[plan.kind])), str(word.choice(_TIME[time]))
    sentence = f"{land}{_behind(plan, share)} {hour}{_WEATHER[weather]}"
    extras = [*_standing(plan, share), *_sky(plan, share, weather)]
    if extras:
        sentence += ", with " + (", ".join(extras[:-1]) + " and " if len(extras) > 1 else "") + extras[-1]
    return sentence


def _behind(plan: Plan, share: npt.NDArray[np.float64]) -> str:
    if share[MOUNTAIN] > 0.02:
        snowy = any(ridge.snow and ridge.label == MOUNTAIN for ridge in plan.ridges)
        return " below " + ("snowy" if snowy else "blue") + " mountains"
    return " among green hills" if share[HILL] > 0.03 else ""


def _standing(plan: Plan, share: npt.NDArray[np.float64]) -> list[str]:
    """Name the houses, trees, rocks and paths in view."""
    seen = [thing.sort for thing in plan.things if 0 < thing.x < 1]
    houses, trees = seen.count("house"), [sort for sort in seen if sort in _TREES]
    phrases = []
    if houses and share[HOUSE] > 0.001:
        phrases.append("a village" if houses > 3 else ("a house", "two houses", "three houses")[houses - 1])
    if share[TREE] > 0.01 and trees:
        sort = max(set(trees), key=lambda each: (trees.count(each), each))
        name = _TREES[sort]
        phrases.append(f"a {'pine' if sort == 'conifer' else name[:-1]}" if len(trees) == 1 else
                       f"a few {name}" if len(trees) < 6 else f"many {name}")  # fmt: skip
    if share[ROCK] > 0.008:
        phrases.append("rocks")
    if share[PATH] > 0.008:
        phrases.append("a path")
    if plan.kind not in ("lake", "river", "coast") and share[WATER] > 0.01:
        phrases.append("a river" if plan.river else "a small lake")
    if share[SAND] > 0.05 and plan.kind != "coast":
        phrases.append("bright sand")
    return phrases


def _sky(plan: Plan, share: npt.NDArray[np.float64], weather: str) -> list[str]:
    phrases = []
    if share[CLOUD] > 0.02 and weather in ("clear", "cloudy"):
        phrases.append("long thin clouds" if plan.clouds[0].sort == "streak" else "white clouds")
    if share[SUN] > 0.001 and weather != "overcast":
        phrases.append("the sun in the sky")
    return phrases
