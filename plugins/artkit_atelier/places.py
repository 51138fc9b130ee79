"""Places seen from above: fields, woods, villages, roads and water, as a map and as a photo from the air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from artkit_atelier.noise import Array, noise_line, noise_plane

Mask = npt.NDArray[np.bool_]

FIELD, MEADOW, WOOD, VILLAGE, ROAD, WATER, HOUSE = range(7)
MAP = np.array(
    [(0.94, 0.93, 0.82), (0.80, 0.92, 0.69), (0.68, 0.82, 0.62), (0.88, 0.87, 0.86), (1.0, 1.0, 1.0),
     (0.67, 0.83, 0.87), (0.78, 0.66, 0.58)],
    np.float32,
)  # fmt: skip
"""The colours of a map's kinds of ground."""
MAIN_ROAD = np.array((0.97, 0.80, 0.50), np.float32)
GROUND = np.array(
    [(0.62, 0.55, 0.36), (0.40, 0.52, 0.24), (0.14, 0.26, 0.12), (0.47, 0.49, 0.36), (0.55, 0.54, 0.52),
     (0.13, 0.22, 0.27), (0.62, 0.36, 0.28)],
    np.float32,
)  # fmt: skip
"""What they are like from the air, before texture, shade and shadow."""
CROPS = np.array([(0.68, 0.60, 0.36), (0.50, 0.56, 0.26), (0.46, 0.37, 0.25), (0.76, 0.68, 0.34)], np.float32)
ROOFS = np.array([(0.62, 0.32, 0.24), (0.50, 0.30, 0.26), (0.42, 0.42, 0.45)], np.float32)

CELLS = 13  # parcels in a square of one picture's height
LANE, MAIN = 0.009, 0.016  # half widths of roads, in heights
SHADOW = 0.012  # how far a house's shadow falls, in heights


@dataclass(frozen=True)
class Place:
    """A place: its `map` and what is seen from the `air`, both RGB in [0, 1] (H, W, 3)."""

    map: Array
    air: Array


@dataclass(frozen=True)
class _Parcels:
    """The parcels of a place: which each pixel (H, W) belongs to, its distance to the border, and theirs of all."""

    number: npt.NDArray[np.intp]
    border: Array
    ground: npt.NDArray[np.intp]
    turn: Array


def make_place(seed: int, height: int, width: int) -> Place:
    """Make a place of this size in pixels: the same for the same seed, and alike at every size."""
    rng = np.random.default_rng([seed, 11])
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    x = (np.arange(width, dtype=np.float32) + 0.5) / height
    parcels = _lay_parcels(rng, y, x, width / height)
    ground = parcels.ground[parcels.number]
    houses, ridge = _build_houses(rng, y, x, parcels)
    main = np.abs(_across(rng, y, x)) < MAIN
    river = np.abs(_across(rng, y, x)) < rng.uniform(0.015, 0.045) if rng.random() < 0.6 else np.zeros_like(main)
    ground[parcels.border < LANE] = ROAD
    ground[houses] = HOUSE
    ground[river] = WATER
    ground[main] = ROAD
    drawn = MAP[ground]
    drawn[main] = MAIN_ROAD
    return Place(drawn, _photograph(rng, y, x, parcels, ground, ridge))


def _lay_parcels(rng: np.random.Generator, y: Array, x: Array, wide: float) -> _Parcels:
    """Share the ground out around random points (Voronoi's cells); borders waver a little."""
    count = max(3, round(CELLS * wide))
    points = rng.uniform((0, 0), (1, wide), (count, 2)).astype(np.float32)
    ground = rng.choice((FIELD, MEADOW, WOOD, VILLAGE), count, p=(0.38, 0.17, 0.22, 0.23))
    waver = 0.015 * noise_plane(rng, y, x, (6, 6))[..., None]
    away = np.hypot(y[:, None, None] + waver - points[:, 0], x[:, None] + waver - points[:, 1])
    own, next_to = np.moveaxis(np.argpartition(away, 1, axis=2)[..., :2], 2, 0)
    squares = np.take_along_axis(away, np.stack((own, next_to), 2), 2) ** 2
    apart = np.hypot(*np.moveaxis(points[own] - points[next_to], 2, 0))
    border = np.abs(squares[..., 1] - squares[..., 0]) / (2 * apart)
    return _Parcels(own, border, ground, rng.uniform(0, np.pi, count))


def _across(rng: np.random.Generator, y: Array, x: Array) -> Array:
    """Return the distance (H, W), in heights, to a line that winds across the place, above 0 on one side of it."""
    along, off = (x, y[:, None]) if rng.random() < 0.5 else (y, x)
    line = rng.uniform(0.25, 0.75) + 0.22 * noise_line(rng, along, 1.5, 3)
    return np.asarray(off - (line if off.ndim == 2 else line[:, None]), np.float32)


def _build_houses(rng: np.random.Generator, y: Array, x: Array, parcels: _Parcels) -> tuple[Mask, Array]:
    """Return where houses of villages stand, in rows turned as their parcel is, and the side of the ridge, -1 or 1."""
    turn = parcels.turn[parcels.number]
    plot, depth = 0.07, 0.022  # heights
    u = (x * np.cos(turn) + y[:, None] * np.sin(turn)) / plot
    v = (y[:, None] * np.cos(turn) - x * np.sin(turn)) / plot
    chance = rng.random((64, 64))[np.floor(u).astype(int) % 64, np.floor(v).astype(int) % 64]
    half = depth / plot * (0.8 + 0.5 * ((chance * 7) % 1))
    inside = (np.abs(u % 1 - 0.5) < half) & (np.abs(v % 1 - 0.5) < 0.75 * half) & (chance < 0.8)
    standing = inside & (parcels.ground[parcels.number] == VILLAGE) & (parcels.border > LANE + 0.6 * depth)
    return standing, np.asarray(np.sign(v % 1 - 0.5), np.float32)


def _photograph(
    rng: np.random.Generator, y: Array, x: Array, parcels: _Parcels, ground: npt.NDArray[np.intp], ridge: Array
) -> Array:
    """Show the ground from the air: crops in furrows, the crowns of woods, gardens, roofs with their shadows."""
    photo = GROUND[ground]
    crops = CROPS[rng.integers(len(CROPS), size=len(parcels.ground))][parcels.number]
    photo = np.where((ground == FIELD)[..., None], crops, photo)
    roofs = ROOFS[rng.integers(len(ROOFS), size=len(parcels.ground))][parcels.number]
    photo = np.where((ground == HOUSE)[..., None], roofs * (1 + 0.18 * ridge[..., None]), photo)
    tone = 0.10 * noise_plane(rng, y, x, (5, 5), 4, 0.6)
    tone += np.where(ground == FIELD, _furrows(y, x, parcels), 0)
    tone += np.where(ground == WOOD, 0.75 * _crowns(rng, y, x, 34), 0)
    tone += np.where(ground == VILLAGE, 0.5 * _crowns(rng, y, x, 22), 0)
    tone = np.where(ground == WATER, 0.25 * tone, tone)
    high = (ground == HOUSE) | (ground == WOOD)
    shade = np.where(_shadow(high, len(y)), 0.55, 1.0)
    return np.asarray(np.clip(photo * ((1 + tone) * shade)[..., None], 0, 1), np.float32)


def _furrows(y: Array, x: Array, parcels: _Parcels) -> Array:
    turn = parcels.turn[parcels.number]
    return np.asarray(0.09 * np.sin(2 * np.pi * 42 * (x * np.cos(turn) + y[:, None] * np.sin(turn))), np.float32)


def _crowns(rng: np.random.Generator, y: Array, x: Array, frequency: float) -> Array:
    """Return crowns of trees as light falls on them from the upper left, in about [-1, 1]."""
    step = np.float32(0.008)
    state = rng.bit_generator.state
    lit = noise_plane(rng, y - step, x - step, (frequency, frequency), 2)
    rng.bit_generator.state = state  # the same crowns, a step further
    return noise_plane(rng, y, x, (frequency, frequency), 2) - lit


def _shadow(high: Mask, height: int) -> Mask:
    """Return where what is high casts its shadow on what is not, to the lower right."""
    reach = max(1, round(SHADOW * height))
    cast = np.zeros_like(high)
    for step in range(1, reach + 1):
        cast[step:, step:] |= high[:-step, :-step]
    return cast & ~high
