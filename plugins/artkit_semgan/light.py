"""The light on a photographed map, found by the class colours and taken off: fading, coloured, or in shadow.

Light multiplies colours. How much of it falls on a cell is not known, nor what class the cell shows; but the classes
are few, and the light of neighbours is much the same. That is the problem of stereo matching, with levels of light in
place of disparities, and is solved likewise: each cell weighs each level by the nearest class colour under it, and
sweeps across the map in four directions let neighbours agree (semi-global matching: Hirschmüller, "Stereo processing by
semiglobal matching and mutual information", 2008, section 2.3, with four paths in place of eight or sixteen).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

from artkit.images import resize_image
from artkit.spec import ClassSet

CELLS = 80
"""Cells along the longer side, at most."""
STEP = 0.08
LEVELS = STEP * np.arange(-26, 6)
"""Light is one of these, as a logarithm: from an eighth to half as much again."""
SPREADS = (0.09, 0.05, 0.05)
"""How far a colour may be off, as a share of its length, in each round; the first does not know the colour of light."""
FLOOR = 3 / 255
"""How far it may be off besides."""
CAP = 4.0
"""What a cell costs whose colour is none of the classes', as those on borders are; its light is its neighbours'."""
SLOPE, JUMP = 0.5, 4.0
"""What it costs that light changes by a level from cell to cell, and by any number of them, as where a shadow ends."""
SMOOTH = 1.5
"""Standard deviation of the final blur, in cells."""
UNEVEN, BETTER = 0.8, 0.5
"""Light is uneven where cells cost more than this on the average under even light, and less than this share of it under
the light that was found."""


def even_light(picture: Tensor, classes: ClassSet) -> Tensor:
    """Return a picture 13HW of a map in even, white light; the picture itself where its light is that already."""
    height, width = picture.shape[-2:]
    scale = min(1.0, CELLS / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    cells = resize_image(picture.float(), size)[0].movedim(0, -1).double().numpy(force=True)
    found = find_light(cells, np.array(classes.colours) / 255)
    if found is None:
        return picture
    light, colour = (torch.from_numpy(np.exp(part)).to(picture) for part in found)
    whole = F.interpolate(light[None, None], size=(height, width), mode="bilinear")
    return picture.div(colour[:, None, None]).div_(whole).clamp_(0, 1)


def find_light(cells: np.ndarray, palette: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the light on cells (H, W, 3) in colours of a palette (K, 3), and its colour (3): logarithms both.

    None where it is even and white as far as the cells tell.
    """
    colour = np.zeros(3)
    misfit = even_cost(cells, palette)
    if misfit < UNEVEN:
        return None
    for spread in SPREADS:
        costs, nearest = weigh(cells, palette * np.exp(colour), spread)
        level = agree(costs).argmin(2)[..., None]
        cost = np.take_along_axis(costs, level, 2)[..., 0]
        plain = palette[np.take_along_axis(nearest, level, 2)[..., 0]]
        shown = plain * np.exp(LEVELS[level])
        # Bright channels tell more; cells that fit no class, nothing.
        trust = (shown**2 + 1e-9) * (cost < CAP / 2)[..., None]
        ratio = np.log(np.maximum(cells, 1e-3) / np.maximum(shown, 1e-3))
        colour = np.array([weighted_median(ratio[..., c], trust[..., c]) for c in range(3)])
        colour -= colour.mean()
    finer = ((ratio - colour) * trust).sum(2) / (trust.sum(2) + 1e-9)
    light = LEVELS[level[..., 0]] + finer.clip(-STEP, STEP)
    weight = trust.sum(2) + 1e-3
    light = gaussian_filter(light * weight, SMOOTH) / gaussian_filter(weight, SMOOTH)
    evened = cells / np.exp(light[..., None] + colour)
    return (light, colour) if even_cost(evened, palette) < BETTER * misfit else None


def even_cost(cells: np.ndarray, palette: np.ndarray) -> float:
    """Return what a cell (H, W, 3) costs on the average if the light is even and white."""
    return float(weigh(cells, palette, SPREADS[-1])[0][..., np.abs(LEVELS).argmin()].mean())


def weigh(cells: np.ndarray, palette: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what each level costs in each cell, and which class it is then: (H, W, levels) both."""
    costs = np.empty((*cells.shape[:2], len(LEVELS)))
    nearest = np.empty(costs.shape, int)
    own, likeness, length = (cells**2).sum(2), cells @ palette.T, (palette**2).sum(1)
    variance = (spread * np.sqrt(own) + FLOOR) ** 2
    for index, light in enumerate(np.exp(LEVELS)):
        distance = light**2 * length - 2 * light * likeness
        nearest[..., index] = distance.argmin(2)
        costs[..., index] = np.minimum((distance.min(2) + own) / (2 * variance), CAP)
    return costs, nearest


def agree(costs: np.ndarray) -> np.ndarray:
    """Return the costs (H, W, levels) with what they cost the cells before and after, to all four sides, added."""
    across = costs.transpose(1, 0, 2)
    down, right = (sweep(part) + sweep(part[::-1])[::-1] for part in (costs, across))
    return down + right.transpose(1, 0, 2)


def sweep(costs: np.ndarray) -> np.ndarray:
    """Return the costs of the cheapest ways to each level (H, W, levels), going down from the first row."""
    total = costs.copy()
    for before, row in pairwise(total):
        least = before.min(1, keepdims=True)
        beside = np.pad(before, ((0, 0), (1, 1)), constant_values=np.inf)
        stepped = np.minimum(beside[:, :-2], beside[:, 2:]) + SLOPE
        row += np.minimum(np.minimum(before, stepped), least + JUMP) - least
    return total


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the value below which half of the weight lies."""
    order = values.argsort(axis=None)
    summed = weights.ravel()[order].cumsum()
    return float(values.ravel()[order][np.searchsorted(summed, summed[-1] / 2)])
