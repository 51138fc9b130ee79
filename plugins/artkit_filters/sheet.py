"""Finding a sheet in a photo: four long straight steps in colour that close to a quadrilateral.

Quadrilaterals are four corners x, y (4, 2) in pixels, clockwise from the top left; the middle of the first pixel lies
at 0.5, 0.5. Lines are offset and slope (2): upright ones x = offset + slope * y, level ones y = offset + slope * x.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask
from skimage.transform import hough_line, hough_line_peaks, resize

LONGEST = 400
"""Sides are looked for in a copy of the photo no longer than this, in pixels."""
LEAN = 30
"""The most that a side leans, in degrees."""
CANDIDATES = 14
"""Lines that may be left or right sides, and as many that may be upper or lower ones."""
HUE = 2.0
"""How many times as much a difference in hue counts as one in lightness."""
STEP = 0.3
"""A step in log colours that is as clear as can be."""
RIDGE = 0.15
"""How clear a step is at least to be a point of a line."""
CLEAR, DOUBT = 0.6, 0.75
"""How clear each side is at least, and more than how clear, on the whole, its length speaks for it."""
LEAST, TAPER = 0.5, 1.5
"""What share of the photo's a side spans at least, and how many times as long as the one opposite it is at most."""
BEYOND = 0.02
"""How far a corner may lie outside the photo, as a share of its longer side."""
THIN, PLAIN = 0.02, 0.15
"""A margin is thicker than this share of the sheet's longer side, and its steps less clear on the whole."""
POINTS = 160
"""Places along a side where it is measured."""


def find_sheet(photo: np.ndarray) -> np.ndarray | None:
    """Return the corners (4, 2) of a sheet in a photo (H, W, 3) in [0, 1]; None where none is seen."""
    small = smooth_log(shrink(photo))
    corners = best_quad(clear_steps(small, axis=1), clear_steps(small, axis=0))
    if corners is None:
        return None
    scale = np.array(photo.shape[1::-1]) / small.shape[1::-1]
    corners, colours = corners * scale, smooth_log(photo)
    for reach in (4 * scale.max(), 2 * scale.max(), 3.0):
        corners = refine(colours, corners, reach)
    return corners


def find_plain_margin(sheet: np.ndarray) -> np.ndarray | None:
    """Return the corners (4, 2) of what a sheet (H, W, 3) shows within a plain margin; None where it has none."""
    height, width = sheet.shape[:2]
    thin = math.ceil(THIN * max(height, width))
    edge = thin // 2  # where the table may still shine through
    corners = find_sheet(sheet[edge : height - edge, edge : width - edge])
    if corners is None:
        return None
    corners = corners + edge
    if np.abs(corners - [(0, 0), (width, 0), (width, height), (0, height)]).min() < thin:
        return None
    small = shrink(sheet)
    scale = np.array(small.shape[1::-1]) / (width, height)
    inside = polygon2mask(small.shape[:2], (corners * scale - 0.5)[:, ::-1])
    margin = ~ndimage.binary_dilation(inside, np.ones((3, 3)), iterations=4)
    rim = math.ceil(edge * scale.max()) + 4
    margin[:rim] = margin[-rim:] = margin[:, :rim] = margin[:, -rim:] = False
    unrest = np.maximum(*(clear_steps(smooth_log(small), axis) for axis in (0, 1)))[margin]
    return corners if unrest.size and unrest.mean() < PLAIN else None


def shrink(photo: np.ndarray) -> np.ndarray:
    """Return a copy of a photo that is no longer than `LONGEST`."""
    scale = LONGEST / max(photo.shape[:2])
    if scale >= 1:
        return photo
    return resize(photo, [max(1, round(side * scale)) for side in photo.shape[:2]], anti_aliasing=True)


def smooth_log(photo: np.ndarray) -> np.ndarray:
    """Return log colours (H, W, 3), a little blurred: lightness, and hue twice as large.

    A step is as high in shadow as in light, and a difference in hue counts for more than shadows and fibres of wood.
    """
    colours = np.log(ndimage.gaussian_filter(photo, (1, 1, 0)) + 0.1)
    lightness = colours.mean(2, keepdims=True)
    return lightness + HUE * (colours - lightness)


def clear_steps(colours: np.ndarray, axis: int) -> np.ndarray:
    """Return how clear (H, W) a step there is along `axis` at each pixel: 0 none, 1 as clear as can be."""
    rise = np.zeros_like(colours)
    there, ahead, behind = (np.moveaxis(part, axis, 0) for part in (rise, colours, colours))
    there[2:-2] = ahead[4:] - behind[:-4]
    along = ndimage.uniform_filter1d(rise, 5, axis=1 - axis)  # what runs on is a side, what does not is texture
    return np.minimum(np.sqrt((along**2).sum(2)) / STEP, 1)


def best_quad(across: np.ndarray, down: np.ndarray) -> np.ndarray | None:
    """Return the quadrilateral whose sides are clearest for their lengths, of steps across and down (H, W) each.

    What goes on as clear beyond its corners is less of a side: the joint of two boards, or the horizon of a picture.
    """
    height, width = across.shape
    (upright, down_them), (level, along_them) = line_pairs(across), line_pairs(down.T)
    one, other = (grid.ravel() for grid in np.indices((len(upright), len(level))))
    left, right, top, bottom = *np.moveaxis(upright[one], 1, 0), *np.moveaxis(level[other], 1, 0)
    corners = np.stack([meet(left, top), meet(right, top), meet(right, bottom), meet(left, bottom)], 1)
    sides = (
        (down_them[one, 0], corners[:, 0, 1], corners[:, 3, 1]),
        (down_them[one, 1], corners[:, 1, 1], corners[:, 2, 1]),
        (along_them[other, 0], corners[:, 0, 0], corners[:, 1, 0]),
        (along_them[other, 1], corners[:, 3, 0], corners[:, 2, 0]),
    )
    lengths = np.stack([end - start for _, start, end in sides], 1)
    inside, outside = np.stack([split_sums(*side) for side in sides], 2)
    score = (inside - outside / 2 - DOUBT * lengths).sum(1)
    beyond = np.maximum(-corners, corners - (width, height)).max((1, 2), initial=0)
    fits = (lengths >= LEAST * np.array([height, height, width, width])).all(1)
    fits &= (lengths <= TAPER * lengths[:, [1, 0, 3, 2]]).all(1) & (inside >= CLEAR * lengths).all(1)
    fits &= (beyond <= BEYOND * max(width, height)) & (score > 0)
    return corners[np.where(fits, score, 0).argmax()] if fits.any() else None


def line_pairs(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs (P, 2, 2) of upright lines, the left one first, and the sums (P, 2, H + 1) of steps down each."""
    lines, (height, width) = find_lines(steps), steps.shape
    lines = lines[(lines[:, 0] + lines[:, 1] * height / 2).argsort()]
    rows = np.arange(height)
    columns = np.floor(lines[:, :1] + lines[:, 1:] * (rows + 0.5)).astype(int)
    wide = np.pad(ndimage.maximum_filter1d(steps, 3, axis=1), ((0, 0), (1, 1)))
    sums = np.pad(wide[rows, (columns + 1).clip(0, width + 1)].cumsum(1), ((0, 0), (1, 0)))
    pairs = np.array(list(combinations(range(len(lines)), 2)), int).reshape(-1, 2)
    return lines[pairs], sums[pairs]


def find_lines(steps: np.ndarray) -> np.ndarray:
    """Return the upright lines (L, 2) that most ridges of steps lie on (Hough)."""
    ridges = (steps == ndimage.maximum_filter1d(steps, 5, axis=1)) & (steps > RIDGE)
    angles = np.radians(np.linspace(-LEAN, LEAN, 4 * LEAN + 1))
    votes, angles, distances = hough_line(ridges, angles)
    found = hough_line_peaks(votes, angles, distances, min_distance=4, min_angle=4, num_peaks=CANDIDATES)
    _, turns, distances = map(np.asarray, found)
    slopes = -np.tan(turns)
    return np.stack([distances / np.cos(turns) + 0.5 - slopes / 2, slopes], 1)


def split_sums(sums: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return how much of the steps on lines, by their sums (P, H + 1), lies between two rows (P), and how much not."""
    last, every = sums.shape[1] - 1, np.arange(len(sums))
    inside = sums[every, end.round().astype(int).clip(0, last)] - sums[every, start.round().astype(int).clip(0, last)]
    return np.stack([inside, sums[:, -1] - inside])


def meet(upright: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return where lines (..., 2) cross."""
    x = (upright[..., 0] + upright[..., 1] * level[..., 0]) / (1 - upright[..., 1] * level[..., 1])
    return np.stack([x, level[..., 0] + level[..., 1] * x], -1)


def refine(colours: np.ndarray, corners: np.ndarray, reach: float) -> np.ndarray:
    """Return the corners (4, 2) after each side moved to the steps across it that are up to `reach` pixels away."""
    top_left, top_right, bottom_right, bottom_left = corners
    left = fit_side(colours, top_left, bottom_left, 0, reach)
    right = fit_side(colours, top_right, bottom_right, 0, reach)
    top = fit_side(colours, top_left, top_right, 1, reach)
    bottom = fit_side(colours, bottom_left, bottom_right, 1, reach)
    return np.stack([meet(left, top), meet(right, top), meet(right, bottom), meet(left, bottom)])


def fit_side(colours: np.ndarray, start: np.ndarray, end: np.ndarray, axis: int, reach: float) -> np.ndarray:
    """Return the line through most of the largest steps, up to `reach` pixels along `axis`, beside a side."""
    points = start + np.linspace(0.02, 0.98, POINTS)[:, None] * (end - start)
    half = 5  # samples on either side of a step, half a pixel apart
    offsets = np.arange(-reach - half / 2, reach + half / 2 + 0.01, 0.5)
    places = np.repeat(points[:, None], len(offsets), 1)
    places[..., axis] += offsets
    rows_columns = np.moveaxis(places - 0.5, 2, 0)[::-1]
    planes = np.moveaxis(colours, 2, 0)
    profiles = np.stack([ndimage.map_coordinates(plane, rows_columns, order=1, mode="nearest") for plane in planes])
    sums = ndimage.uniform_filter1d(profiles, 5, axis=1).cumsum(2)
    sums = np.pad(sums, ((0, 0), (0, 0), (1, 0)))
    rises = sums[..., 2 * half :] - 2 * sums[..., half:-half] + sums[..., : -2 * half]
    heights = np.sqrt((rises**2).sum(0)) / half
    peak = heights.argmax(1)
    middles = offsets[half - 1 : -half] + 0.25
    where = points[:, axis] + middles[peak] + 0.5 * summits(heights, peak)
    return fit_line(points[:, 1 - axis], where, heights.max(1))


def summits(heights: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Return how far (P) from its highest sample the parabola through it and its neighbours is highest."""
    inner = peak.clip(1, heights.shape[1] - 2)
    before, there, after = (heights[np.arange(len(peak)), inner + step] for step in (-1, 0, 1))
    bend = np.minimum(before - 2 * there + after, -1e-9)
    return np.where(peak == inner, (before - after) / 2 / bend, 0).clip(-0.5, 0.5)


def fit_line(along: np.ndarray, where: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """Return the line (2) that most points lie near, the clear ones before others (reweighted least squares)."""
    system = np.stack([np.ones_like(along), along], 1)
    weight = clear = np.minimum(clear / STEP, 1) + 1e-6
    for _ in range(20):
        root = np.sqrt(weight)
        line = np.linalg.lstsq(system * root[:, None], where * root, rcond=None)[0]
        error = np.abs(where - system @ line)
        weight = clear / (1 + (error / max(0.2, 1.5 * float(np.median(error)))) ** 2) ** 2
    return line
