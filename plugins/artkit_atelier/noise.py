"""Fractal value noise on fixed lattices: the same seed gives the same shapes at any resolution.

Positions are picture coordinates, [0, 1] across the frame; lattices begin at -1, so that a camera may move.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

_MARGIN = 1.0
_SPAN = 3.0
_LARGEST = 61  # knots a side; finer noise repeats after so many, which the eye does not find


def _knots(position: Array, frequency: float, straight: bool) -> tuple[npt.NDArray[np.int32], Array, int]:
    """Return the left lattice index and the blend towards the right one, with the lattice's length."""
    count = min(int(np.ceil(_SPAN * frequency)) + 2, _LARGEST)
    place = np.maximum((position + np.float32(_MARGIN)) * np.float32(frequency), 0)
    index = place.astype(np.int32)
    blend = place - index.astype(np.float32)
    return index % count, blend if straight else blend * blend * (3 - 2 * blend), count


def noise_line(
    rng: np.random.Generator, x: Array, frequency: float, octaves: int = 4, gain: float = 0.5, straight: bool = False
) -> Array:
    """Return fractal noise at the positions `x` (any shape), in about [-1, 1]; `straight` joins knots by lines."""
    total = np.zeros(x.shape, np.float32)
    for octave in range(octaves):
        index, blend, count = _knots(x, frequency * 2**octave, straight)
        lattice = rng.uniform(-1, 1, count).astype(np.float32)
        left = lattice[index]
        total += np.float32(gain**octave) * (left + (lattice[(index + 1) % count] - left) * blend)
    return total


def noise_plane(
    rng: np.random.Generator, y: Array, x: Array, frequency: tuple[float, float], octaves: int = 3, gain: float = 0.5
) -> Array:
    """Return fractal noise (len(y), len(x)) at the grid of rows `y` and columns `x`, in about [-1, 1]."""
    total = np.zeros((len(y), len(x)), np.float32)
    for octave in range(octaves):
        rows, down, height = _knots(y, frequency[0] * 2**octave, False)
        columns, across, width = _knots(x, frequency[1] * 2**octave, False)
        lattice = rng.uniform(-1, 1, (height, width)).astype(np.float32)
        lines = lattice[rows] + (lattice[(rows + 1) % height] - lattice[rows]) * down[:, None]
        left = lines[:, columns]
        total += np.float32(gain**octave) * (left + (lines[:, (columns + 1) % width] - left) * across)
    return total


def texture(
    rng: np.random.Generator, y: Array, x: Array, horizon: float, scale: float = 1.0, stretch: float = 3.0
) -> Array:
    """Return ground texture (len(y), len(x)) in perspective: fine and flat near `horizon`, coarse at the bottom.

    Octaves of noise fade in and out by row, each where its grain suits the distance.
    """
    near = np.clip((y - horizon) / max(1 - horizon, 1e-3), 0.02, 1)
    level = -np.log2(near)
    total = np.zeros((len(y), len(x)), np.float32)
    for octave in range(5):
        weight = np.clip(1.4 - np.abs(level - octave), 0, 1).astype(np.float32)
        rows = np.flatnonzero(weight)
        frequency = scale * 2.0**octave
        seed = np.random.default_rng(rng.integers(2**32))
        if len(rows):
            grain = noise_plane(seed, y[rows], x, (frequency * stretch, frequency), 2, 0.6)
            total[rows] += grain * weight[rows, None]
    return total
