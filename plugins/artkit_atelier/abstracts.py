"""Abstract compositions: areas of few colours that show no thing, for painters to paint."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from artkit_atelier.noise import noise_plane
from artkit_atelier.studio import Motif

Areas = npt.NDArray[np.int64]
"""The number of the area that each pixel belongs to (H, W)."""
Grid = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Where each pixel lies: y and x in shares of the longer side, (H, W) each."""
Compose = Callable[[np.random.Generator, Grid], Areas]

COLOURS = (4, 8)  # in a palette
SHADE = 0.07  # how far lightness drifts within a picture


def make_abstract(seed: int, height: int, width: int) -> Motif:
    """Make an abstract composition of `height` x `width` pixels: the same for the same seed."""
    random = np.random.default_rng((seed, 1))
    longer = max(height, width)
    y, x = np.mgrid[:height, :width] / longer
    compose = COMPOSITIONS[random.integers(len(COMPOSITIONS))]
    areas = np.unique(compose(random, (y, x)), return_inverse=True)[1].reshape(height, width)
    palette = mix_palette(random)
    weights = random.dirichlet(np.full(len(palette), 2.0))
    chosen = random.choice(len(palette), size=areas.max() + 1, p=weights)
    shade = SHADE * noise_plane(random, y[:, 0], x[0], (3, 3))
    photo = np.clip(palette[chosen][areas] + shade[..., None], 0, 1)
    return Motif(photo.astype(np.float32), (areas % 256).astype(np.uint8))


def mix_palette(random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Mix a palette (K, 3): hues around two or three places of the circle, from dark to light, pale or strong."""
    count = random.integers(*COLOURS)
    first, between = random.random(), random.uniform(0.12, 0.5)
    hues = first + between * np.arange(random.integers(2, 4))
    strength, light = random.uniform(0.25, 1), random.uniform(0.5, 1.1)
    values = np.linspace(random.uniform(0.05, 0.35), random.uniform(0.85, 1), count) ** light
    colours = []
    for value in values:
        hue = (random.choice(hues) + random.normal(0, 0.03)) % 1
        colours.append(colorsys.hsv_to_rgb(hue, strength * random.uniform(0.3, 1), float(value)))
    return np.array(colours)


def _panes(random: np.random.Generator, grid: Grid) -> Areas:
    """Split the canvas into panes, again and again, as Mondrian did."""
    y, x = grid
    areas = np.zeros(y.shape, np.int64)
    boxes = [(0.0, 1.0, 0.0, 1.0)]
    for _ in range(random.integers(4, 14)):
        sizes = [(bottom - top) * (right - left) for top, bottom, left, right in boxes]
        top, bottom, left, right = boxes.pop(int(np.argmax(sizes)))
        share = random.uniform(0.25, 0.75)
        if (bottom - top) * random.uniform(0.5, 2) > right - left:
            cut = top + share * (bottom - top)
            boxes += [(top, cut, left, right), (cut, bottom, left, right)]
        else:
            cut = left + share * (right - left)
            boxes += [(top, bottom, left, cut), (top, bottom, cut, right)]
    for number, (top, bottom, left, right) in enumerate(boxes):
        areas[(y >= top) & (y < bottom) & (x >= left) & (x < right)] = number
    return areas


def _discs(random: np.random.Generator, grid: Grid) -> Areas:
    """Lay discs and rings over each other, as Delaunay did."""
    y, x = grid
    areas = np.zeros(y.shape, np.int64)
    for number in range(1, random.integers(3, 10)):
        distance = np.hypot(y - random.random() * y.max(), x - random.random() * x.max())
        radius, rings = random.uniform(0.06, 0.4), random.integers(1, 4)
        ring = np.floor(distance / radius * rings).astype(np.int64)
        areas = np.where(distance < radius, 4 * number + ring, areas)
    return areas


def _bands(random: np.random.Generator, grid: Grid) -> Areas:
    """Lay bands beside each other at one angle, straight or in waves."""
    y, x = grid
    angle = random.uniform(0, np.pi)
    along, across = y * np.sin(angle) + x * np.cos(angle), y * np.cos(angle) - x * np.sin(angle)
    wave = random.choice([0, random.uniform(0.02, 0.12)]) * np.sin(random.uniform(3, 12) * along)
    cuts = np.sort(random.uniform(-1, 1.2, random.integers(8, 22)))
    return np.searchsorted(cuts, across + wave)


def _cells(random: np.random.Generator, grid: Grid) -> Areas:
    """Divide the canvas among points: each place goes to the nearest."""
    points = random.random((random.integers(8, 40), 2))
    distance = [np.hypot(grid[0] - y, grid[1] - x) for y, x in points]
    return np.argmin(distance, 0)


def _levels(random: np.random.Generator, grid: Grid) -> Areas:
    """Divide the canvas by the levels of smooth noise: islands, as Arp cut them."""
    frequency = random.uniform(2, 6)
    noise = noise_plane(random, grid[0][:, 0], grid[1][0], (frequency, frequency), octaves=2)
    return np.searchsorted(np.quantile(noise, np.sort(random.random(random.integers(2, 7)))), noise)


def _planes(random: np.random.Generator, grid: Grid) -> Areas:
    """Lay quadrilaterals at several angles over each other, as Malevich did."""
    y, x = grid
    areas = np.zeros(y.shape, np.int64)
    for number in range(1, random.integers(4, 14)):
        angle, tall, wide = random.uniform(0, np.pi), *random.uniform(0.03, 0.35, 2)
        dy, dx = y - random.random() * y.max(), x - random.random() * x.max()
        along, across = dy * np.sin(angle) + dx * np.cos(angle), dy * np.cos(angle) - dx * np.sin(angle)
        areas = np.where((np.abs(along) < wide) & (np.abs(across) < tall), number, areas)
    return areas


def _rays(random: np.random.Generator, grid: Grid) -> Areas:
    """Send rays from a point, cut by circles around it."""
    dy, dx = grid[0] - random.random() * grid[0].max(), grid[1] - random.random() * grid[1].max()
    angle = np.searchsorted(np.sort(random.uniform(-np.pi, np.pi, random.integers(5, 16))), np.arctan2(dy, dx))
    circle = np.searchsorted(np.sort(random.uniform(0.05, 1, random.integers(0, 4))), np.hypot(dy, dx))
    return np.asarray(8 * angle + circle)


COMPOSITIONS: tuple[Compose, ...] = (_panes, _discs, _bands, _cells, _levels, _planes, _rays)
