"""Swatches put together from pieces: stained glass, a mosaic, dots of paint."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from artkit_nst.swatches.canvas import as_bytes, new_canvas, noise_field, shade, shrunk, swirl

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
