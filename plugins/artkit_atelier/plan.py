"""What a scene is made of, in picture coordinates: x across and y down, each [0, 1]; sizes in picture heights.

`nearness` (also written t) says how close ground lies: 0 at the ground's far edge, 1 at the bottom of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from artkit_atelier.noise import Array, noise_line

_TABLE_X = np.linspace(-1, 2, 3073, dtype=np.float32)


class Outline:
    """A line y(x) across the world, x from -1 to 2: a subclass says in `shape` how it runs."""

    def shape(self, x: Array) -> Array:
        """Return y at each x, exactly."""
        raise NotImplementedError

    @cached_property
    def _table(self) -> Array:
        return self.shape(_TABLE_X).astype(np.float32)

    def __call__(self, x: Array) -> Array:
        """Return y at each x."""
        return np.interp(x, _TABLE_X, self._table).astype(np.float32)

    def slope(self, x: Array) -> Array:
        """Return dy/dx at each x, over a step of about 1/250."""
        step = np.float32(0.002)
        return (self(x + step) - self(x - step)) / (2 * step)

    def at(self, x: float) -> float:
        """Return y at one x."""
        return float(np.interp(x, _TABLE_X, self._table))


@dataclass(frozen=True)
class Curve(Outline):
    """A wandering line: base + tilt (x - 1/2) + bowl (2 (x - middle))^power + height noise(x)."""

    base: float
    height: float = 0.0
    frequency: float = 2.0
    octaves: int = 3
    tilt: float = 0.0
    bowl: float = 0.0
    middle: float = 0.5
    power: int = 2
    straight: bool = False
    seed: int = 0

    def shape(self, x: Array) -> Array:
        """Return y at each x, exactly."""
        rng = np.random.default_rng(self.seed)
        wave = self.height * noise_line(rng, x, self.frequency, self.octaves, 0.4, self.straight)
        return self.base + self.tilt * (x - 0.5) + self.bowl * (2 * (x - self.middle)) ** self.power + wave


@dataclass(frozen=True)
class Peaks(Outline):
    """A mountain range: the highest of several peaks (x, height, half width), roughened by ridged noise."""

    base: float
    peaks: tuple[tuple[float, float, float], ...]
    rough: float = 0.0
    seed: int = 0

    def shape(self, x: Array) -> Array:
        """Return y at each x, exactly."""
        rng = np.random.default_rng(self.seed)
        height = np.zeros(x.shape, np.float32)
        for centre, top, width in self.peaks:
            climb = np.clip(1 - np.abs(x - centre) / width, 0, 1)
            height = np.maximum(height, top * climb ** (1.25 if self.rough else 1.0))
        if self.rough:
            crags = 1 - 2 * np.abs(noise_line(rng, x, 7, 4, 0.5))
            height = height + self.rough * (0.1 + height) * crags
        return self.base - height


@dataclass(frozen=True)
class Sun:
    """A disc in the sky."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Cloud:
    """A cloud about (x, y); `sort` is 'cumulus' or 'streak'."""

    sort: str
    x: float
    y: float
    width: float
    height: float
    seed: int


@dataclass(frozen=True)
class Ridge:
    """A layer of mountains or hills from its outline down to the ground, `haze` [0, 1] behind the air."""

    label: int
    outline: Outline
    haze: float
    nearness: float
    snow: float
    seed: int


@dataclass(frozen=True)
class Grove:
    """A band of many small trees standing along a line."""

    line: Outline
    sort: str
    height: float
    gaps: float
    haze: float
    nearness: float
    seed: int


@dataclass(frozen=True)
class Basin:
    """A lake or a sea between a far and a near shore; `beach` is its rim of sand, in heights."""

    far: Curve
    near: Curve
    beach: float


@dataclass(frozen=True)
class Winding:
    """A river or a path that winds from x `start` at nearness `far` to x `end` at nearness `near`."""

    start: float
    end: float
    swing: float
    turns: float
    phase: float
    width: float
    far: float = 0.0
    near: float = 1.0

    def centre(self, t: Array) -> Array:
        """Return the middle's x at each nearness."""
        along = np.clip(t, 0, 1) ** 0.6
        bend = self.swing * np.sin(self.phase + self.turns * along) * np.sqrt(along) * (1.15 - along)
        return (self.start + (self.end - self.start) * np.clip(t, 0, 1) + bend).astype(np.float32)

    def half_width(self, t: Array) -> Array:
        """Return half the width at each nearness."""
        return (self.width * (0.03 + 0.97 * np.clip(t, 0, 1) ** 1.15)).astype(np.float32)

    def crosses(self, x: float, t: float, margin: float) -> bool:
        """Say whether (x, t) lies within `margin` of it."""
        at = np.array([t], np.float32)
        return bool(abs(x - self.centre(at)[0]) < self.half_width(at)[0] + margin * (0.2 + t))


@dataclass(frozen=True)
class Thing:
    """A tree, house or rock whose foot stands at (x, nearness t), `size` heights tall if it stood at t = 1."""

    sort: str
    x: float
    t: float
    size: float
    seed: int


@dataclass(frozen=True)
class Plan:
    """A whole scene, back to front. `ground` is the far edge of the ground and `soil` its class."""

    kind: str
    naive: bool
    horizon: float
    sun: Sun | None
    clouds: tuple[Cloud, ...]
    ridges: tuple[Ridge, ...]
    ground: Curve
    soil: int
    groves: tuple[Grove, ...] = ()
    basin: Basin | None = None
    river: Winding | None = None
    path: Winding | None = None
    headland: Ridge | None = None
    things: tuple[Thing, ...] = ()

    @property
    def shore(self) -> float:
        """The y at which water begins, about which it mirrors; a river comes from the horizon."""
        return float(self.basin.far(np.linspace(0, 1.3, 66, dtype=np.float32)).min()) if self.basin else self.horizon

    def nearness(self, y: float) -> float:
        """Return how near level ground at height y lies."""
        return min(1.0, max(0.0, (y - self.horizon) / (1 - self.horizon)))

    def foot(self, x: float, t: float) -> float:
        """Return the y at which something at (x, t) stands."""
        edge = self.ground.at(x)
        return edge + t * (1 - edge)

    def dry(self, x: float, t: float, margin: float = 0.02) -> bool:
        """Say whether (x, t) is land, at least `margin` away from water."""
        basin = self.basin
        if basin and basin.far.at(x) - margin * 0.5 < self.foot(x, t) < basin.near.at(x) + margin:
            return False
        return not (self.river and self.river.crosses(x, t, margin))

    def free(self, x: float, t: float) -> bool:
        """Say whether (x, t) is land without a path."""
        return self.dry(x, t) and not (self.path and self.path.crosses(x, t, 0.03))


def scale(t: float) -> float:
    """Return how large a thing at nearness t looks against one at t = 1."""
    return 0.09 + 0.91 * t
