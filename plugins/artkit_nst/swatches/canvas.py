"""What all swatches are made with: fields of tones and directions, palettes, and strokes drawn with Pillow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

Colour = tuple[float, float, float]


def noise_field(side: int, cell: float, random: np.random.Generator) -> np.ndarray:
    """Return a smooth field (side, side) whose hills are about `cell` pixels apart, evenly spread over [0, 1]."""
    field = gaussian_filter(random.standard_normal((side, side)), cell / 2, mode="wrap")
    ranks = field.ravel().argsort().argsort().reshape(side, side)
    return ranks / (side * side - 1)


def swirl(side: int, cell: float, random: np.random.Generator) -> np.ndarray:
    """Return directions (side, side), in radians, that turn around the hills of a noise field."""
    field = gaussian_filter(random.standard_normal((side, side)), cell / 2, mode="wrap")
    down, across = np.gradient(field)
    return np.arctan2(across, -down)


def shade(tones: np.ndarray, palette: Sequence[Colour]) -> np.ndarray:
    """Map tones in [0, 1] (any shape) to colours (..., 3) along a palette, dark to light as it is written."""
    places = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(tones, places, [colour[band] for colour in palette]) for band in range(3)], -1)


def follow(angles: np.ndarray, x: float, y: float, length: float, step: float = 3.0) -> list[tuple[float, float]]:
    """Return points of a path that starts at (x, y) and follows directions for `length` pixels."""
    side = len(angles)
    points = [(x, y)]
    for _ in range(max(1, round(length / step))):
        angle = angles[int(y) % side, int(x) % side]
        x, y = x + step * float(np.cos(angle)), y + step * float(np.sin(angle))
        points.append((x, y))
    return points


def as_bytes(colour: Iterable[float]) -> tuple[int, ...]:
    """Return a colour in [0, 1] as Pillow takes it."""
    return tuple(round(255 * min(max(float(level), 0), 1)) for level in colour)


def new_canvas(side: int, colour: Iterable[float], finer: int = 2) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an image, `finer` times as large as the swatch along a side, and what draws on it."""
    image = Image.new("RGB", (side * finer, side * finer), as_bytes(colour))
    return image, ImageDraw.Draw(image)


def shrunk(image: Image.Image, side: int) -> np.ndarray:
    """Return a canvas at the swatch's size, H W 3 in [0, 1]."""
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.float64) / 255


def relief(picture: np.ndarray, height: np.ndarray, strength: float) -> np.ndarray:
    """Light a picture from the upper left as if its paint stood as high as `height`."""
    down, across = np.gradient(height)
    return picture * (1 + strength * np.tanh(-(down + across) * 4))[..., None]


def warped(picture: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Return H W 3 with every pixel taken from so many pixels further down and across, around the edges."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(float)
    places = [rows + down, columns + across]
    return np.stack([map_coordinates(picture[..., band], places, order=1, mode="wrap") for band in range(3)], -1)
