"""Scenes: a label map, its picture in a light, and a sentence about it, all from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from artkit.errors import OptionError, nearest
from artkit_atelier.canvas import Canvas
from artkit_atelier.captions import describe
from artkit_atelier.ground import paint_ground
from artkit_atelier.layout import DRAWN_SHARE, compose
from artkit_atelier.light import TIMES, WEATHERS, light_of
from artkit_atelier.noise import Array
from artkit_atelier.objects import paint_thing
from artkit_atelier.plan import Plan
from artkit_atelier.relief import paint_grove, paint_headland, paint_ridge
from artkit_atelier.rendering import render
from artkit_atelier.sky import paint_sky

PAN = 0.3
"""How far a whole camera move travels: the share of the frame's width that the nearest ground passes."""


@dataclass(frozen=True)
class Scene:
    """One view: `labels` (H, W) uint8 class indices, `photo` (H, W, 3) float32 RGB in [0, 1], and what they show."""

    labels: npt.NDArray[np.uint8]
    photo: Array
    time: str
    weather: str
    caption: str
    seed: int


def make_scene(
    seed: int,
    height: int,
    width: int,
    time: str | None = None,
    weather: str | None = None,
    camera: float = 0.0,
    drawn: float = DRAWN_SHARE,
) -> Scene:
    """Return scene `seed`, the same picture at any size.

    `time` (light.TIMES) and `weather` (light.WEATHERS) change the light alone; left out, the seed chooses them.
    `camera` in [0, 1] is the place along a slow move to the right; `drawn` the share of seeds whose scene is flat and
    simple, as by hand. Raises OptionError for an unknown time or weather.
    """
    default_time, default_weather = own_light(seed)
    time, weather = _one_of(TIMES, time or default_time), _one_of(WEATHERS, weather or default_weather)
    plan = compose(seed, drawn)
    canvas = draw(plan, height, width, seed, camera)
    photo = render(canvas, plan, light_of(time, weather), seed)
    return Scene(canvas.labels, photo, time, weather, describe(plan, canvas.labels, time, weather), seed)


def own_light(seed: int) -> tuple[str, str]:
    """Return the time and weather that the seed chooses for scene `seed`."""
    chance = np.random.default_rng([seed, 1])
    return str(chance.choice(TIMES)), str(chance.choice(WEATHERS, p=[0.6, 0.2, 0.1, 0.1]))


def _one_of(known: tuple[str, ...], name: str) -> str:
    if name not in known:
        raise OptionError(f"No landscape has the light '{name}'.{nearest(name, known)}")
    return name


def draw(plan: Plan, height: int, width: int, seed: int, camera: float = 0.0) -> Canvas:
    """Return a plan painted onto a canvas, back to front."""
    canvas = Canvas.blank(height, width, PAN * camera)
    paint_sky(canvas, plan)
    for ridge in plan.ridges:
        paint_ridge(canvas, ridge, plan.horizon)
        for grove in plan.groves:
            if grove.line is ridge.outline:
                paint_grove(canvas, grove)
    paint_ground(canvas, plan, seed)
    paint_headland(canvas, plan)
    for grove in plan.groves:
        if grove.line is plan.ground:
            paint_grove(canvas, grove)
    for thing in plan.things:
        paint_thing(canvas, plan, thing)
    return canvas


def make_frames(seed: int, height: int, width: int, count: int, drawn: float = DRAWN_SHARE) -> Iterator[Scene]:
    """Yield `count` scenes along a slow camera move; see make_scene."""
    for place in np.linspace(0, 1, count):
        yield make_scene(seed, height, width, camera=float(place), drawn=drawn)
