"""Views: which scene each picture of the landscapes shows, in which light and painting style, and its partner's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from artkit.errors import OptionError, nearest
from artkit_atelier import LandscapesOptions
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.noise import Array
from artkit_atelier.scenes import Scene, make_scene, own_light

PHOTO = "photo"
"""The style of pictures that nobody paints."""

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


def find_view(options: LandscapesOptions, index: int) -> View:
    """Return what the picture at `index` shows: scene `index // looks`, in the light and style drawn for it."""
    number, look = divmod(index, options.looks)
    seed = options.seed + number
    chance = np.random.default_rng([seed, look, 7])
    time, weather = str(chance.choice(TIMES)), str(chance.choice(WEATHERS))
    style = str(chance.choice(options.styles or (options.style,)))
    if options.lights == "own":
        time, weather = own_light(seed)
    return View(seed, options.size_of(index), time, weather, style, options.drawn)


def find_partner(view: View, index: int) -> View:
    """Return the view of another scene in the same light and style; the scenes are endless, and it may be any."""
    seed = int(np.random.default_rng([view.seed, index, 8]).integers(2**31, 2**32))
    return replace(view, seed=seed)


def check_style(style: str, *others: str) -> None:
    """Raise OptionError unless there is a painting style of this name, or it is one of `others`."""
    from artkit_atelier.painting import STYLES

    if style not in (known := [*STYLES, *others]):
        raise OptionError(f"There is no painting style '{style}'.{nearest(style, known)}")


def check_styles(options: LandscapesOptions) -> None:
    """Raise OptionError unless all that these options name are styles."""
    check_style(options.style)
    for style in options.styles:
        check_style(style, PHOTO)


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
