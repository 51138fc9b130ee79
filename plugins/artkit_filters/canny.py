"""Canny's edge detector, in bands of rows (Canny, "A computational approach to edge detection", 1986).

It is scikit-image's `canny`, number by number, for large pictures: bands fit the processor's cache and keep all of its
cores at work, and nothing but truth values is ever held of the whole picture.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from scipy import ndimage

from artkit_filters.arrays import LUMA

BAND = 2**19  # pixels
TRUNCATE = 4.0  # standard deviations: where the Gaussian ends


def find_edges(planes: np.ndarray, sigma: float, low: float, high: float) -> np.ndarray:
    """Return where (H, W) the luma of a picture (3, H, W) has edges: lines steeper than `low`, somewhere than `high`.

    Thin lines: pixels whose slope is the largest across the line. What lies beyond the picture counts for nothing.
    """
    height, width = planes.shape[1:]
    weak, strong = np.zeros((2, height, width), bool)

    def work(start: int, stop: int) -> None:
        steepness = _thin_lines(planes, start, stop, sigma, low)
        weak[start:stop], strong[start:stop] = steepness > 0, steepness >= max(high, 1e-30)

    rows = max(BAND // width, 1)
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        list(threads.map(work, range(0, height, rows), (*range(rows, height, rows), height)))
    return _connected(weak, strong)


def _connected(weak: np.ndarray, strong: np.ndarray) -> np.ndarray:
    """Return the lines of weak pixels, neighbours in eight directions, that hold a strong one."""
    labels, count = ndimage.label(weak, np.ones((3, 3), bool))
    good = np.zeros(count + 1, bool)
    good[labels[strong]] = True
    places = np.flatnonzero(weak)
    lines = np.zeros(weak.shape, bool)
    lines.flat[places] = good[labels.flat[places]]
    return lines


def _thin_lines(planes: np.ndarray, start: int, stop: int, sigma: float, low: float) -> np.ndarray:
    """Return the slope in the rows from `start` to `stop` where it is at least `low` and largest across, else 0."""
    halo = int(TRUNCATE * sigma + 0.5) + 2
    first, last = max(start - halo, 0), min(stop + halo, planes.shape[1])
    smooth = _smooth(planes, first, last, sigma)
    down, right = _sobel(smooth)
    slope = np.sqrt(down * down + right * right)
    candidates = slope >= low
    candidates[:, [0, -1]] = False
    candidates[: max(start, 1) - first] = candidates[min(stop, planes.shape[1] - 1) - first :] = False
    lines = np.zeros_like(slope)
    places = np.flatnonzero(candidates)
    peaks = places[_is_peak(places, slope, down, right)]
    lines.flat[peaks] = slope.flat[peaks]
    return lines[start - first : stop - first]


def _smooth(planes: np.ndarray, first: int, last: int, sigma: float) -> np.ndarray:
    """Return the blurred luma of some rows, each pixel over what share of the Gaussian lies inside the picture."""
    weights = np.array(LUMA, planes.dtype)
    grey = sum(plane * weight for plane, weight in zip(planes[:, first:last], weights, strict=True))
    blur = partial(ndimage.gaussian_filter, sigma=sigma, mode="constant", truncate=TRUNCATE)
    # That share is another near the borders alone: it is computed of a picture with no more than borders.
    radius = int(TRUNCATE * sigma + 0.5)
    rows, columns = (_border_index(side, radius) for side in planes.shape[1:])
    share = blur(np.ones((rows.max() + 1, columns.max() + 1), planes.dtype)) + np.finfo(planes.dtype).eps
    return blur(grey) / share[rows[first:last, None], columns]


def _border_index(side: int, radius: int) -> np.ndarray:
    """Return for each place of a side one of as many places as two borders of `radius` and one between them have."""
    place = np.arange(side)
    return np.minimum(place, radius) + np.maximum(place - np.maximum(side - 1 - radius, radius), 0)


def _sobel(smooth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes down and to the right by Sobel's filter, borders repeated; sums are rounded at the end."""
    padded = np.pad(smooth, 1, mode="edge")
    down = (padded[2:] - padded[:-2]).astype(np.float64)
    right = (padded[:, 2:] - padded[:, :-2]).astype(np.float64)
    down = down[:, :-2] + down[:, 2:] + 2 * down[:, 1:-1]
    right = right[:-2] + right[2:] + 2 * right[1:-1]
    return down.astype(smooth.dtype), right.astype(smooth.dtype)


def _is_peak(places: np.ndarray, slope: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Tell at which flat `places` no slope on either side, interpolated on the gradient's line, is larger."""
    width, flat = slope.shape[1], slope.ravel()
    down, right = down.take(places), right.take(places)
    along = ((down >= 0) & (right >= 0)) | ((down <= 0) & (right <= 0))
    steep, wide = np.abs(down), np.abs(right)
    tall = np.where(along, steep > wide, steep >= wide)
    side = np.where(along, 1, -1)
    # One step straight, and one to the corner beside it.
    straight = np.where(tall, side * width, 1)
    corner = side * width + 1
    share = np.where(tall, wide, steep) / np.maximum(np.where(tall, steep, wide), np.finfo(slope.dtype).tiny)
    here = flat.take(places)
    rest = 1 - share.astype(np.float64)
    ahead = flat.take(places + corner) * share + flat.take(places + straight) * rest
    behind = flat.take(places - corner) * share + flat.take(places - straight) * rest
    return (ahead <= here) & (behind <= here)
