"""Procedural textures: styles without a picture, drawn from a seed, each a world of marks in many tones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree
from torch import Tensor

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


PAPER, INK = (0.96, 0.93, 0.85), (0.16, 0.12, 0.11)
PRINTS = ((0.10, 0.10, 0.16), (0.16, 0.26, 0.42), (0.72, 0.26, 0.16), (0.88, 0.66, 0.30), (0.94, 0.89, 0.74))


def draw_etching(side: int, random: np.random.Generator) -> np.ndarray:
    """Hatch tones with fine lines: one layer in the light, crossed by more the darker it gets."""
    image, draw = new_canvas(side, PAPER, finer=3)
    tones, bend = noise_field(side, 130, random), swirl(side, 260, random)
    for layer, (turn, lightest) in enumerate(((0.0, 0.80), (1.1, 0.52), (-0.8, 0.33), (0.5, 0.17))):
        angles = 0.35 * np.sin(bend) + 0.8 + turn
        for x, y in random.uniform(0, side, (round(side * side / 34), 2)):
            tone = tones[int(y), int(x)]
            if tone > lightest * random.uniform(0.85, 1.0):
                continue
            points = follow(angles, x, y, random.uniform(14, 34))
            grey = random.uniform(0.0, 0.25) + 0.12 * layer * (tone - 0.2)
            colour = [ink + grey * (paper - ink) for ink, paper in zip(INK, PAPER, strict=True)]
            draw.line([(3 * px, 3 * py) for px, py in points], fill=as_bytes(colour), width=2 + (tone < 0.25))
    return shrunk(image, side)


def draw_woodcut(side: int, random: np.random.Generator) -> np.ndarray:
    """Cut bold gouges that follow the forms, printed in five flat inks over one another."""
    tones, angles = noise_field(side, 120, random), swirl(side, 150, random)
    inks = len(PRINTS) - 1
    image, draw = new_canvas(side, PRINTS[1], finer=3)
    for x, y in random.uniform(0, side, (round(side * side / 30), 2)):
        tone = np.clip(tones[int(y), int(x)] + random.normal(0, 0.09), 0, 1)
        colour = shade(np.round(tone * inks) / inks, PRINTS)
        points = follow(angles, x, y, random.uniform(18, 46))
        _gouge(draw, points, random.uniform(3.0, 5.5), as_bytes(colour))
    return shrunk(image, side)


def _gouge(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], width: float, colour: tuple[int, ...]) -> None:
    """Draw a mark that is widest in its middle and pointed at both ends."""
    for number, ((ax, ay), (bx, by)) in enumerate(pairwise(points)):
        share = 1 - abs(2 * (number + 0.5) / (len(points) - 1) - 1)
        draw.line([3 * ax, 3 * ay, 3 * bx, 3 * by], fill=colour, width=max(1, round(3 * width * share)))


JEWELS = (
    (0.03, 0.06, 0.25),
    (0.45, 0.03, 0.10),
    (0.04, 0.25, 0.62),
    (0.10, 0.48, 0.28),
    (0.86, 0.20, 0.07),
    (0.20, 0.58, 0.86),
    (0.98, 0.72, 0.12),
    (0.97, 0.95, 0.82),
)
STONES = (
    (0.08, 0.10, 0.20),
    (0.12, 0.25, 0.45),
    (0.55, 0.18, 0.12),
    (0.18, 0.48, 0.50),
    (0.78, 0.42, 0.18),
    (0.85, 0.70, 0.38),
    (0.95, 0.92, 0.84),
)
SUNDAY = (
    (0.10, 0.12, 0.35),
    (0.20, 0.22, 0.62),
    (0.10, 0.45, 0.30),
    (0.75, 0.25, 0.20),
    (0.45, 0.65, 0.30),
    (0.95, 0.60, 0.20),
    (0.55, 0.75, 0.90),
    (0.98, 0.88, 0.55),
)


def draw_glass(side: int, random: np.random.Generator) -> np.ndarray:
    """Draw panes of coloured glass, each a little uneven, held by dark lead."""
    panes = 1.1 * side * side / 26**2
    centres = random.uniform(-0.05 * side, 1.05 * side, (round(panes), 2))
    rows, columns = np.mgrid[:side, :side]
    distances, nearest = cKDTree(centres).query(np.stack([rows, columns], -1).reshape(-1, 2), k=2)
    gap = (distances[:, 1] - distances[:, 0]).reshape(side, side)
    tones = noise_field(side, 150, random)[tuple(centres.clip(0, side - 1).astype(int).T)]
    tones = (tones + random.uniform(-0.3, 0.3, len(centres))).clip(0, 1)
    glass = shade(np.round(tones * (len(JEWELS) - 1)) / (len(JEWELS) - 1), JEWELS)[nearest[:, 0].reshape(side, side)]
    glass = glass * (0.82 + 0.36 * noise_field(side, 14, random))[..., None]
    glow = np.clip(gap / 14, 0, 1)[..., None]
    lead = np.clip((gap - 2.2) / 1.6, 0, 1)[..., None]
    return lead * glass * (0.75 + 0.35 * glow) + (1 - lead) * 0.04


def draw_mosaic(side: int, random: np.random.Generator) -> np.ndarray:
    """Lay small stones along curves, with pale mortar between them."""
    image, draw = new_canvas(side, (0.62, 0.58, 0.52), finer=3)
    angles, tones = swirl(side, 170, random), noise_field(side, 110, random)
    size = 11.0
    grid = np.stack(np.meshgrid(*[np.arange(0, side, size * 0.92)] * 2), -1).reshape(-1, 2)
    for x, y in grid + random.uniform(-2.2, 2.2, grid.shape):
        place = int(y) % side, int(x) % side
        turn = angles[place]
        along = np.array([np.cos(turn), np.sin(turn)]) * size * random.uniform(0.40, 0.48)
        across = np.array([-np.sin(turn), np.cos(turn)]) * size * random.uniform(0.36, 0.46)
        corners = [np.array([x, y]) + s * along + t * across for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        tone = np.clip(tones[place] + random.normal(0, 0.07), 0, 1)
        colour = shade(tone, STONES) * random.uniform(0.85, 1.12)
        draw.polygon([(3 * float(cx), 3 * float(cy)) for cx, cy in corners], fill=as_bytes(colour))
    return shrunk(image, side) * (0.93 + 0.14 * noise_field(side, 3, random))[..., None]


def draw_dots(side: int, random: np.random.Generator) -> np.ndarray:
    """Set dots of pure paint, each region in two or three neighbouring colours and a touch of its opposite."""
    image, draw = new_canvas(side, (0.93, 0.90, 0.80), finer=2)
    tones = noise_field(side, 120, random)
    for x, y in random.uniform(0, side, (round(side * side / 16), 2)):
        tone = tones[int(y), int(x)] + random.normal(0, 0.10)
        if random.random() < 0.10:
            tone = 1 - tone
        colour = shade(np.clip(tone, 0, 1), SUNDAY) + random.normal(0, 0.03, 3)
        radius = random.uniform(2.0, 3.6)
        draw.ellipse([2 * (x - radius), 2 * (y - radius), 2 * (x + radius), 2 * (y + radius)], fill=as_bytes(colour))
    return shrunk(image, side)


NIGHT = (
    (0.03, 0.05, 0.14),
    (0.06, 0.13, 0.36),
    (0.14, 0.32, 0.62),
    (0.16, 0.48, 0.52),
    (0.45, 0.66, 0.78),
    (0.86, 0.66, 0.22),
    (0.98, 0.90, 0.58),
)
HARVEST = (
    (0.12, 0.08, 0.12),
    (0.25, 0.13, 0.28),
    (0.58, 0.14, 0.14),
    (0.16, 0.36, 0.40),
    (0.86, 0.42, 0.14),
    (0.93, 0.70, 0.28),
    (0.55, 0.70, 0.70),
    (0.96, 0.92, 0.82),
)
WASHES = (
    (0.10, 0.16, 0.42),
    (0.14, 0.42, 0.66),
    (0.16, 0.52, 0.38),
    (0.80, 0.30, 0.26),
    (0.45, 0.68, 0.86),
    (0.96, 0.68, 0.26),
    (0.60, 0.36, 0.58),
)


def draw_flow(side: int, random: np.random.Generator) -> np.ndarray:
    """Paint long strokes that swirl, in the colours of a night with stars."""
    angles, tones = swirl(side, 110, random), noise_field(side, 100, random)
    image, draw = new_canvas(side, NIGHT[1])
    heights, high = new_canvas(side, (0, 0, 0))
    for spread, width, length in ((22, 9.0, 46), (12, 6.0, 40), (9, 4.0, 32)):
        for x, y in random.uniform(0, side, (round(side * side / spread**2 * 2.4), 2)):
            tone = np.clip(tones[int(y), int(x)] + random.normal(0, 0.08), 0, 1)
            colour = shade(tone, NIGHT) + random.normal(0, 0.035, 3)
            points = follow(angles, x, y, length * random.uniform(0.6, 1.3))
            _stroke(draw, points, width, as_bytes(colour))
            _stroke(high, points, width, as_bytes(random.uniform(0.2, 1.0, 1).repeat(3)))
    return relief(shrunk(image, side), gaussian_filter(shrunk(heights, side)[..., 0], 0.7), 0.30)


def draw_knife(side: int, random: np.random.Generator) -> np.ndarray:
    """Spread broad, angular slabs of thick paint."""
    tones, angles = noise_field(side, 130, random), swirl(side, 200, random)
    image, draw = new_canvas(side, HARVEST[3])
    heights, high = new_canvas(side, (0, 0, 0))
    for size in (34, 22, 14):
        for x, y in random.uniform(0, side, (round(2.2 * (side / size) ** 2), 2)):
            turn = np.round(angles[int(y), int(x)] * 2) / 2 + random.normal(0, 0.15)
            along = np.array([np.cos(turn), np.sin(turn)]) * size * random.uniform(0.6, 1.1)
            across = np.array([-np.sin(turn), np.cos(turn)]) * size * random.uniform(0.22, 0.42)
            jitter = random.uniform(0.75, 1.2, (4, 1))
            corners = jitter * [s * along + t * across for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))] + [x, y]
            tone = np.clip(tones[int(y), int(x)] + random.normal(0, 0.10), 0, 1)
            shape = [(2 * float(cx), 2 * float(cy)) for cx, cy in corners]
            draw.polygon(shape, fill=as_bytes(shade(tone, HARVEST) + random.normal(0, 0.03, 3)))
            high.polygon(shape, fill=as_bytes(random.uniform(0.1, 1.0, 1).repeat(3)))
    ridges = gaussian_filter(shrunk(heights, side)[..., 0], 1.0) + 0.05 * noise_field(side, 3, random)
    return relief(shrunk(image, side), ridges, 0.28)


def draw_watercolour(side: int, random: np.random.Generator) -> np.ndarray:
    """Let washes run into one another on rough paper: clear inside, darker where a wash dried at its edge."""
    picture = np.full((side, side, 3), 0.98)
    for cell, covered in ((150, 0.55), (110, 0.45), (75, 0.40), (45, 0.35), (28, 0.30)):
        wash = noise_field(side, cell, random) + 0.06 * noise_field(side, 9, random)
        above = wash - (1 - covered)
        inside, rim = np.clip(above / 0.015, 0, 1), np.exp(-(((above - 0.02) / 0.014) ** 2))
        tint = shade(noise_field(side, 1.3 * cell, random), WASHES)
        depth = (0.62 * inside * (0.6 + 0.4 * noise_field(side, 30, random)) + 0.30 * rim)[..., None]
        picture = picture * (1 - depth * (1 - tint))
    bleed = [5 * (noise_field(side, 12, random) - 0.5) for _ in "yx"]
    grain = 1 - 0.08 * (noise_field(side, 2.5, random) - 0.3)
    return warped(picture, *bleed) * grain[..., None]


def _stroke(
    draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], width: float, colour: tuple[int, ...]
) -> None:
    """Draw a stroke with round ends; the canvas is twice as fine as the swatch."""
    fine = [(2 * x, 2 * y) for x, y in points]
    draw.line(fine, fill=colour, width=round(2 * width), joint="curve")
    for x, y in (fine[0], fine[-1]):
        draw.ellipse([x - width, y - width, x + width, y + width], fill=colour)


SIDE = 512

DRAWERS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "dots": draw_dots,
    "etching": draw_etching,
    "flow": draw_flow,
    "glass": draw_glass,
    "knife": draw_knife,
    "mosaic": draw_mosaic,
    "watercolour": draw_watercolour,
    "woodcut": draw_woodcut,
}
"""Each draws a square of so many pixels and returns H W 3 in [0, 1]."""


def make_swatch(name: str, side: int = SIDE, seed: int = 0) -> Tensor:
    """Draw the style called `name` as 3HW in [0, 1]; the same seed gives the same swatch."""
    drawn = DRAWERS[name](side, np.random.default_rng(seed))
    return torch.from_numpy(drawn.clip(0, 1).astype(np.float32)).movedim(-1, 0).contiguous()
