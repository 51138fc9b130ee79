"""Views: which scene each picture of the landscapes shows, in which light and painting style, and its partner's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from artkit.errors import OptionError, nearest
from artkit_atelier import LandscapesOptions
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.noise import Array
from artkit_atelier.scenes import Scene, make_scene, own_light

PHOTO = "photo"
"""The style of pictures that nobody paints."""
VALIDATION_EVERY = 10

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """One picture to be made: the scene's seed, (width, height), light, painting style, and the share drawn by hand."""

    seed: int
    size: tuple[int, int]
    time: str
    weather: str
    style: str
    drawn: float

    @property
    def name(self) -> str:
        """A name that tells scenes of other seeds, sizes, lights and shares of drawn ones apart."""
        width, height = self.size
        light = "" if (self.time, self.weather) == own_light(self.seed) else f"-{self.time}-{self.weather}"
        return f"{self.seed}-{width}x{height}-{self.drawn:g}{light}"

    def make(self) -> Scene:
        """Return the scene in its light."""
        width, height = self.size
        return make_scene(self.seed, height, width, self.time, self.weather, drawn=self.drawn)


def split_of(index: int) -> str:
    """Return the split that a scene belongs to: every tenth is set aside for validation."""
    return "val" if index % VALIDATION_EVERY == VALIDATION_EVERY - 1 else "train"


Look = tuple[str, str, str]
"""A time of day, a weather and a style."""


def list_looks(options: LandscapesOptions, split: str) -> list[Look]:
    """Return the looks that a split may show: those held out in validation, where any are, and the others in training.

    Their order was drawn once for all, so that those held out are among those of larger numbers, whatever the seed and
    the order of styles.
    """
    styles = sorted(set(options.styles or (options.style,)))
    looks = list(product(TIMES, WEATHERS, styles))
    order = np.random.default_rng(9).permutation(len(looks)).tolist()
    held = options.held_out
    return [looks[place] for place in (order[:held] if split == "val" and held else order[held:])]


def find_view(options: LandscapesOptions, index: int) -> View:
    """Return what the picture at `index` shows: scene `index // looks`, in the light and style drawn for it."""
    number, look = divmod(index, options.looks)
    seed = options.seed + number
    chance = np.random.default_rng([seed, look, 7])
    time, weather = str(chance.choice(TIMES)), str(chance.choice(WEATHERS))
    style = str(chance.choice(options.styles or (options.style,)))
    if options.lights == "own":
        time, weather = own_light(seed)
    elif options.lights != "any":
        time, weather = options.lights, "clear"
    if options.held_out:
        looks = list_looks(options, split_of(number))
        time, weather, style = looks[int(chance.integers(len(looks)))]
    return View(seed, options.size_of(index), time, weather, style, options.drawn)


def find_partner(view: View, index: int) -> View:
    """Return the view of another scene in the same light and style; the scenes are endless, and it may be any."""
    seed = int(np.random.default_rng([view.seed, index, 8]).integers(2**31, 2**32))
    return replace(view, seed=seed)


def find_content(options: LandscapesOptions, view: View, index: int) -> View:
    """Return the view of the same scene that nobody has painted, in any light that training shows photos in."""
    looks = list_looks(options, "train")
    lights = [look[:2] for look in looks if look[2] == PHOTO] or list(product(TIMES, WEATHERS))
    time, weather = lights[int(np.random.default_rng([view.seed, index, 10]).integers(len(lights)))]
    return replace(view, time=time, weather=weather, style=PHOTO)


def find_others(options: LandscapesOptions, view: View, index: int) -> dict[str, View]:
    """Return what the further columns asked for show beside a view, by name: its partner, its content."""
    others = {"partner": find_partner(view, index)} if options.partner else {}
    return others | ({"content": find_content(options, view, index)} if options.content else {})


def check_style(style: str, *others: str) -> None:
    """Raise OptionError unless there is a painting style of this name, or it is one of `others`."""
    from artkit_atelier.painting import STYLES

    if style not in (known := [*STYLES, *others]):
        raise OptionError(f"There is no painting style '{style}'.{nearest(style, known)}")


def check_styles(options: LandscapesOptions) -> None:
    """Raise OptionError for what is no style, and where looks are held out that are not there."""
    check_style(options.style)
    for style in options.styles:
        check_style(style, PHOTO)
    if options.held_out and options.lights != "any":
        raise OptionError("landscapes(held_out=...) is for pictures in any light: give lights=any, too.")
    most = len(TIMES) * len(WEATHERS) * len(set(options.styles or (options.style,))) - 1
    if options.held_out > most:
        raise OptionError(f"landscapes(held_out={options.held_out}): {most} at most, so that one is left to train on.")


def quantise(picture: Array) -> Bytes:
    """Return a picture in [0, 1] as bytes."""
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def paint_scene(scene: Scene, style: str) -> Bytes:
    """Return a scene's painting (H, W, 3) in a style; in the style `photo`, its photo."""
    if style == PHOTO:
        return quantise(scene.photo)
    # The painter is the costly part, and not every reader of this module paints.
    from artkit_atelier.painting import paint

    return quantise(paint(scene.photo, scene.labels, style, scene.seed))
