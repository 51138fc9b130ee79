"""Swatches of strokes and washes: a flow of oil paint, a palette knife, watercolour."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw
from scipy.ndimage import gaussian_filter

from artkit_nst.swatches.canvas import (
    as_bytes,
    follow,
    new_canvas,
    noise_field,
    relief,
    shade,
    shrunk,
    swirl,
    warped,
)

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
