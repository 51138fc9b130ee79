"""Draws the landscape map `semantic.png`, as a person would, and a damaged copy of it, `semantic_damaged.jpg`.

Run `python examples/draw_semantic.py`; both files are written beside this script, the same every time.
"""

from __future__ import annotations

import random
from itertools import pairwise
from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from artkit_atelier.classes import COLOURS, NAMES

WIDTH, HEIGHT = 512, 384
COLOUR = dict(zip(NAMES, COLOURS, strict=True))

# From the door to the front edge: x, y and half the width.
PATH = [
    (176, 250, 4), (190, 262, 6), (222, 276, 9), (226, 292, 12),
    (196, 312, 16), (172, 336, 22), (178, 362, 29), (196, 392, 36),
]  # fmt: skip

Points = list[tuple[float, float]]


class Sheet:
    """A sheet of paper and an unsteady hand with one crayon for each class."""

    def __init__(self, seed: int) -> None:
        """Start with a sky."""
        self.image = Image.new("RGB", (WIDTH, HEIGHT), COLOUR["sky"])
        self.draw = ImageDraw.Draw(self.image)
        self.rng = random.Random(seed)

    def shape(self, name: str, points: Points, wobble: float = 1.2) -> None:
        """Fill a shape whose edges wander by up to `wobble` pixels."""
        outline: Points = []
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
            steps = max(1, round((abs(x1 - x0) + abs(y1 - y0)) / 14))
            for step in range(steps):
                part = step / steps
                drift = self.rng.uniform(-wobble, wobble), self.rng.uniform(-wobble, wobble)
                outline.append((x0 + (x1 - x0) * part + drift[0], y0 + (y1 - y0) * part + drift[1]))
        self.draw.polygon(outline, COLOUR[name])

    def block(self, name: str, left: float, bottom: float, width: float, height: float) -> None:
        """Fill a nearly upright rectangle."""
        right, top = left + width, bottom - height
        self.shape(name, [(left, bottom), (left, top), (right, top), (right, bottom)], 0.5)

    def round(self, name: str, x: float, y: float, wide: float, tall: float, wobble: float = 0.05) -> None:
        """Fill a round shape with half axes `wide` and `tall`, a little out of round."""
        phases = [self.rng.uniform(0, 2 * pi) for _ in range(3)]
        points = []
        for step in range(48):
            angle = 2 * pi * step / 48
            reach = 1 + wobble * sum(sin((k + 2) * angle + phase) for k, phase in enumerate(phases)) / 1.5
            points.append((x + wide * reach * cos(angle), y + tall * reach * sin(angle)))
        self.draw.polygon(points, COLOUR[name])

    def curve(self, name: str, knots: Points, bottom: float = HEIGHT) -> None:
        """Fill everything between a smooth line through the knots and `bottom`."""
        line: Points = []
        for (x0, y0), (x1, y1) in pairwise(knots):
            for step in range(12):
                part = step / 12
                ease = part * part * (3 - 2 * part)
                line.append((x0 + (x1 - x0) * part, y0 + (y1 - y0) * ease + self.rng.uniform(-0.6, 0.6)))
        self.draw.polygon([*line, knots[-1], (knots[-1][0], bottom), (knots[0][0], bottom)], COLOUR[name])

    def ribbon(self, name: str, spine: list[tuple[int, int, int]]) -> None:
        """Fill a winding band through (x, y, half width)."""
        left = [(x - half, y) for x, y, half in spine]
        right = [(x + half, y) for x, y, half in reversed(spine)]
        self.shape(name, left + right, 1.0)


def draw_sky(sheet: Sheet) -> None:
    """Draw the sun and three clouds."""
    sheet.round("sun", 404, 62, 30, 30, 0.02)
    for x, y, size in ((92, 66, 1.0), (262, 44, 0.7), (466, 118, 0.62)):
        for dx, dy, radius in ((-38, 8, 20), (-14, -6, 27), (18, -2, 24), (42, 9, 17)):
            sheet.round("cloud", x + dx * size, y + dy * size, radius * size * 1.15, radius * size, 0.04)
        sheet.round("cloud", x, y + 14 * size, 58 * size, 13 * size, 0.04)


def draw_land(sheet: Sheet) -> None:
    """Draw mountains, hills and the meadow."""
    sheet.shape("mountain", [(-10, 215), (52, 138), (88, 168), (158, 92), (226, 176), (250, 215)], 2.0)
    sheet.shape("mountain", [(200, 215), (286, 120), (322, 156), (362, 128), (440, 178), (530, 150), (530, 215)], 2.0)
    sheet.curve("hill", [(-5, 186), (80, 176), (190, 206), (300, 196), (410, 180), (517, 196)])
    sheet.curve("grass", [(-5, 222), (110, 214), (260, 220), (400, 212), (517, 222)])


def draw_lake(sheet: Sheet) -> None:
    """Draw the lake with its beach, and rocks on the shore."""
    sheet.round("sand", 388, 284, 136, 44, 0.04)
    sheet.round("water", 392, 279, 126, 36, 0.05)
    for x, y, size in ((276, 314, 17), (300, 322, 11), (470, 316, 14)):
        sheet.round("rock", x, y, size, size * 0.72, 0.1)


def draw_house(sheet: Sheet, x: float, y: float) -> None:
    """Draw a house as one silhouette: walls, a gable to the left, a roof and a chimney."""
    sheet.block("house", x + 12, y - 40, 10, 34)
    sheet.shape("house", [(x - 40, y - 32), (x - 18, y - 64), (x + 28, y - 62), (x + 42, y - 32)], 0.8)
    sheet.block("house", x - 33, y, 68, 36)


def draw_pine(sheet: Sheet, x: float, y: float, size: float) -> None:
    """Draw a pine of three tiers on a short trunk."""
    sheet.block("tree", x - 3 * size, y, 6 * size, 14 * size)
    for low, high, half in ((10, 48, 21), (32, 70, 17), (54, 92, 12)):
        base = y - low * size
        sheet.shape("tree", [(x - half * size, base), (x, y - high * size), (x + half * size, base)])


def draw_round_tree(sheet: Sheet, x: float, y: float, size: float) -> None:
    """Draw a round crown on a trunk."""
    sheet.block("tree", x - 4 * size, y, 8 * size, 36 * size)
    for dx, dy, radius in ((-14, -48, 18), (14, -46, 17), (0, -64, 20)):
        sheet.round("tree", x + dx * size, y + dy * size, radius * size, radius * size, 0.06)


def draw_landscape() -> Image.Image:
    """Return the map: a house by a lake below mountains."""
    sheet = Sheet(seed=5)
    draw_sky(sheet)
    draw_land(sheet)
    for x, y, size in ((300, 216, 0.42), (322, 218, 0.5), (346, 216, 0.4), (26, 224, 0.5), (50, 222, 0.42)):
        draw_pine(sheet, x, y, size)
    draw_lake(sheet)
    sheet.ribbon("path", PATH)
    draw_house(sheet, 168, 252)
    for x, y, size in ((108, 256, 0.95), (226, 246, 0.62)):
        draw_round_tree(sheet, x, y, size)
    for x, y, size in ((30, 346, 1.75), (78, 330, 1.2), (478, 372, 1.15)):
        draw_pine(sheet, x, y, size)
    return sheet.image


def damage(image: Image.Image) -> Image.Image:
    """Return the map as it comes back from a careless copy: shrunk, blurred, tinted."""
    small = image.resize((round(WIDTH * 0.62), round(HEIGHT * 0.62)), Image.Resampling.BILINEAR)
    back = small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(0.8))
    red, green, blue = back.split()
    return Image.merge("RGB", (red.point(lambda v: min(255, v * 1.04 + 4)), green, blue.point(lambda v: v * 0.93 + 6)))


if __name__ == "__main__":
    here = Path(__file__).parent
    landscape = draw_landscape()
    landscape.save(here / "semantic.png", optimize=True)
    damage(landscape).save(here / "semantic_damaged.jpg", quality=30)
