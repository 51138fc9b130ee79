"""Curves as inline SVG: no script, no font, nothing from anywhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 24  # what is left for the numbers
MOST_POINTS = 240  # of a curve: more than there are pixels to tell apart
SMOOTH = 12  # rows over which a long curve is averaged

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """One curve: its name, and its points (step, value) in order of steps."""

    name: str
    points: Sequence[Point]


def draw_chart(
    title: str, curves: Sequence[Curve], *, last: float = 0.0, mark: Point | None = None, smooth: bool = True
) -> str:
    """Draw curves over steps 0 to `last` at least, with a `mark` at one point, as a `<figure>`.

    Long curves are drawn as a running mean over the faint curve itself, where they are to be `smooth`. Values too far
    out for the others, a first loss say, are cut off at the frame. A pointer above a single curve shows its numbers.
    """
    curves = [Curve(curve.name, _thin(curve.points)) for curve in curves if curve.points]
    if not curves:
        return ""
    right = max([last, *(x for curve in curves for x, _ in curve.points)]) or 1.0
    low, high = _range([y for curve in curves for _, y in curve.points])
    frame = _Frame(right, low, high)
    several = len(curves) > 1
    parts = [frame.grid()]
    parts += [_draw(frame, curve, f"c{index % 6}", smooth) for index, curve in enumerate(curves)]
    if mark:
        parts.append(f'<circle class="mark" cx="{frame.x(mark[0]):.1f}" cy="{frame.y(mark[1]):.1f}" r="4"/>')
    parts += [] if several else [_hover(frame, curves[0])]
    label = f"{title}: " + ", ".join(f"{curve.name} {_number(curve.points[-1][1])}" for curve in curves)
    key = _key(curves) if several else f"<b>{_number(curves[0].points[-1][1])}</b>"
    return (
        f"<figure><figcaption><span>{escape(title)}</span>{key}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg></figure>'
    )


class _Frame:
    """Where steps and values lie on the picture."""

    def __init__(self, right: float, low: float, high: float) -> None:
        self.right, self.low, self.high = right, low, high

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.right

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def grid(self) -> str:
        rows = "".join(
            f'<path class="grid" d="M{LEFT} {self.y(value):.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 6}" y="{self.y(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>'
            for value in _ticks(self.low, self.high, 4)
        )
        return rows + "".join(
            f'<text x="{self.x(step):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{_short(step)}</text>'
            for step in _ticks(0, self.right, 5)
            if self.x(step) < WIDTH - RIGHT - 10
        )


def _draw(frame: _Frame, curve: Curve, colour: str, smooth: bool) -> str:
    if not smooth or len(curve.points) < 4 * SMOOTH:
        return _line(frame, curve.points, f"line {colour}")
    return _line(frame, curve.points, f"faint {colour}") + _line(frame, _smooth(curve.points), f"line {colour}")


def _line(frame: _Frame, points: Sequence[Point], names: str) -> str:
    if len(points) == 1:
        return (
            f'<circle class="dot {names}" cx="{frame.x(points[0][0]):.1f}" cy="{frame.y(points[0][1]):.1f}" r="2.5"/>'
        )
    way = "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in points)
    return f'<path class="{names}" d="M{way}"/>'


def _hover(frame: _Frame, curve: Curve) -> str:
    """Return bands, one a point, that show the point's numbers where the pointer rests."""
    edges = [frame.x(x) for x, _ in curve.points]
    bounds = [LEFT, *((a + b) / 2 for a, b in pairwise(edges)), WIDTH - RIGHT]
    return "".join(
        f'<rect class="hover" x="{left:.1f}" y="{TOP}" width="{max(right - left, 0.1):.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}"><title>step {x:g}: {_number(y)}</title></rect>'
        for left, right, (x, y) in zip(bounds, bounds[1:], curve.points, strict=False)
    )


def _key(curves: Sequence[Curve]) -> str:
    return "".join(
        f'<span class="key c{index % 6}">{escape(curve.name)} <b>{_number(curve.points[-1][1])}</b></span>'
        for index, curve in enumerate(curves)
    )


def _thin(points: Sequence[Point]) -> list[Point]:
    """Return at most `MOST_POINTS` points, means of equally many each; the last stays what it is."""
    size = math.ceil(len(points) / MOST_POINTS)
    if size < 2:
        return list(points)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    means = [(group[-1][0], math.fsum(y for _, y in group) / len(group)) for group in groups]
    return [*means[:-1], points[-1]]


def _smooth(points: Sequence[Point]) -> list[Point]:
    near = [points[max(0, index - SMOOTH) : index + SMOOTH + 1] for index in range(len(points))]
    return [(x, math.fsum(y for _, y in window) / len(window)) for (x, _), window in zip(points, near, strict=True)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return the range to show: of all values, but for a fiftieth at each end that lies far out."""
    ordered = sorted(values)
    cut = len(ordered) // 50
    low, high = ordered[cut], ordered[len(ordered) - 1 - cut]
    reach = high - low
    low, high = max(ordered[0], low - reach), min(ordered[-1], high + reach)
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers from low to high."""
    raw = (high - low) / count
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _short(step: float) -> str:
    return f"{step / 1000:g}k" if step >= 10_000 else f"{step:g}"
