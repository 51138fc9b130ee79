"""Paints houses and churches: walls, roofs, doors and windows as convex polygons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from artkit_atelier.canvas import Box, Canvas, Mask
from artkit_atelier.classes import HOUSE
from artkit_atelier.light import MATERIAL

Points = list[tuple[float, float]]


def polygon(canvas: Canvas, points: Points) -> tuple[Box, Mask] | None:
    """Return the pixels of a convex polygon with its corners in order, or None outside the frame."""
    xs, ys = zip(*points, strict=True)
    box = canvas.box(min(xs), max(xs), min(ys), max(ys))
    if not box:
        return None
    x, y = canvas.x[box[1]], canvas.y[box[0]][:, None]
    edges = zip(points, points[1:] + points[:1], strict=True)
    turns = [(x - x0) * (y1 - y0) - (y - y0) * (x1 - x0) >= 0 for (x0, y0), (x1, y1) in edges]
    return box, np.logical_and.reduce(turns) | ~np.logical_or.reduce(turns)


@dataclass(frozen=True)
class Site:
    """Where a house stands: its foot (x, y), its size in heights, and whether it is mirrored (`flip` -1)."""

    canvas: Canvas
    x: float
    y: float
    size: float
    haze: float
    flip: int

    def part(self, points: Points, material: str, side: float, up: float = 0.0) -> None:
        """Paint a polygon given in the house's own sizes, u to the right and v upwards from the foot."""
        across = self.flip * self.size / self.canvas.aspect
        area = polygon(self.canvas, [(self.x + (u - 0.55) * across, self.y - v * self.size) for u, v in points])
        if area:
            self.canvas.fill(*area, HOUSE, MATERIAL[material], self.haze, side * self.flip, up)

    def pane(self, left: float, low: float, width: float, height: float, material: str = "window") -> None:
        """Paint an upright rectangle."""
        right, top = left + width, low + height
        self.part([(left, low), (right, low), (right, top), (left, top)], material, 0.0)


def paint_house(
    canvas: Canvas, rng: np.random.Generator, sort: str, x: float, y: float, size: float, haze: float, naive: bool
) -> None:
    """Paint a 'house' or a 'church' whose foot stands at (x, y)."""
    site = Site(canvas, x, y, size, haze, 1 if rng.random() < 0.5 else -1)
    if naive:
        _drawn_house(site)
    else:
        if sort == "church":
            _tower(site)
        _house(site, float(rng.uniform(0.5, 0.75)))


def _drawn_house(site: Site) -> None:
    """Paint a house as a child draws it: a square and a triangle."""
    site.part([(0.1, 0), (1, 0), (1, 0.5), (0.1, 0.5)], "wall", 0, 0.1)
    site.part([(0, 0.5), (1.1, 0.5), (0.55, 1)], "roof", 0, 0.4)
    site.pane(0.48, 0, 0.14, 0.27, "door")
    site.pane(0.2, 0.2, 0.14, 0.15)
    site.pane(0.76, 0.2, 0.14, 0.15)


def _house(site: Site, long: float) -> None:
    """Paint a house seen at an angle: the gable to the left, the long wall to the right."""
    front, wall, drop, ridge = 0.42, 0.42, 0.04, 0.74
    end = front + long
    site.part([(0, 0), (front, 0), (front, wall), (0, wall)], "wall", -0.5)
    site.part([(0, wall), (front, wall), (front / 2, ridge)], "wall", -0.5)
    site.part([(front, 0), (end, drop), (end, wall), (front, wall)], "wall", 0.6)
    site.part([(end - 0.3, 0.6), (end - 0.2, 0.6), (end - 0.2, ridge + 0.1), (end - 0.3, ridge + 0.1)], "door", 0, 0.3)
    long_eave = [(front + 0.04, wall - 0.06), (end + 0.03, wall - 0.03)]
    site.part([(front / 2, ridge + 0.03), *long_eave, (end - 0.18, ridge)], "roof", 0.25, 0.5)
    verge = [(front / 2, ridge + 0.04), (front / 2, ridge - 0.04), (-0.05, wall - 0.08), (-0.07, wall)]
    site.part(verge, "roof", -0.5, 0.3)
    for k in range(2):
        site.pane(front + (k + 0.55) * long / 2.5, 0.17, 0.09, 0.14)
    site.pane(front / 2 - 0.06, 0, 0.12, 0.22, "door")
    site.pane(front / 2 - 0.05, 0.36, 0.1, 0.13)


def _tower(site: Site) -> None:
    site.part([(0.1, 0), (0.34, 0), (0.34, 1.05), (0.1, 1.05)], "wall", -0.3)
    site.part([(0.06, 1.05), (0.38, 1.05), (0.22, 1.65)], "roof", -0.2, 0.3)
    site.pane(0.18, 0.82, 0.08, 0.14)
