"""What a scene is made of, in picture coordinates: x across and y down, each [0, 1]; sizes in picture heights.

`nearness` (also written t) says how close ground lies: 0 at the ground's far edge, 1 at the bottom of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from artkit_atelier.noise import Array, noise_line


@dataclass(frozen=True)
class Curve:
    """A wandering line `y(x) = base + slope (x - 1/2) + bowl (2x - 1)^2 + height noise(x)`."""

    base: float
    height: float = 0.0
    frequency: float = 2.0
    octaves: int = 3
    slope: float = 0.0
    bowl: float = 0.0
    straight: bool = False
    seed: int = 0

    def __call__(self, x: Array) -> Array:
        """Return y at each x."""
        rng = np.random.default_rng(self.seed)
        wave = noise_line(rng, x, self.frequency, self.octaves, 0.4, self.straight)
        return (self.base + self.slope * (x - 0.5) + self.bowl * (2 * x - 1) ** 2 + self.height * wave).astype(np.float32)


@dataclass(frozen=True)
class Peaks:
    """A mountain range's outline: the highest of several peaks (x, height, half width), roughened by noise."""

    base: float
    peaks: tuple[tuple[float, float, float], ...]
    rough: float = 0.0
    seed: int = 0

    def __call__(self, x: Array) -> Array:
        """Return y at each x."""
        rng = np.random.default_rng(self.seed)
        height = np.zeros(x.shape, np.float32)
        for centre, top, width in self.peaks:
            climb = np.clip(1 - np.abs(x - centre) / width, 0, 1)
            height = np.maximum(height, top * climb ** (1.25 if self.rough else 1.0))
        if self.rough:
            crags = 1 - 2 * np.abs(noise_line(rng, x, 7, 4, 0.5))
            height = height + self.rough * (0.15 + height) * crags
        return (self.base - height).astype(np.float32)


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
    outline: Curve | Peaks
    haze: float
    nearness: float
    snow: float
    seed: int


@dataclass(frozen=True)
class Grove:
    """A band of many small trees standing along a line."""

    line: Curve | Peaks
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
    things: tuple[Thing, ...] = field(default=())

    def foot(self, x: float, t: float) -> float:
        """Return the y at which something at (x, t) stands."""
        edge = float(self.ground(np.array([x], np.float32))[0])
        return edge + t * (1 - edge)

    def dry(self, x: float, t: float, margin: float = 0.02) -> bool:
        """Say whether (x, t) is land, at least `margin` away from water."""
        if self.basin:
            y, at = self.foot(x, t), np.array([x], np.float32)
            if float(self.basin.far(at)[0]) - margin * 0.5 < y < float(self.basin.near(at)[0]) + margin:
                return False
        return not (self.river and crosses(self.river, x, t, margin))

    def free(self, x: float, t: float) -> bool:
        """Say whether (x, t) is land without a path."""
        return self.dry(x, t) and not (self.path and crosses(self.path, x, t, 0.03))


def crosses(winding: Winding, x: float, t: float, margin: float) -> bool:
    """Say whether (x, t) lies within `margin` of a river or path."""
    at = np.array([t], np.float32)
    return bool(abs(x - winding.centre(at)[0]) < winding.half_width(at)[0] + margin * (0.2 + t))


def scale(t: float) -> float:
    """Return how large a thing at nearness t looks against one at t = 1."""
    return 0.09 + 0.91 * t
