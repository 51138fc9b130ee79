"""Swatches of lines on paper: an etching, a woodcut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import ImageDraw

from artkit_nst.swatches.canvas import as_bytes, follow, new_canvas, noise_field, shade, shrunk, swirl

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
