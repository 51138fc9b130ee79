"""Brush strokes as random fields: jittered grids of strokes, rasterised so that the topmost one wins.

A painter lays strokes on jittered grids, large ones first. Where the strokes lie, which lies on top and how each one
strays in colour is random, and depends on the height, the width and the seed alone. So a painting program and a
generator network can share it: the program paints with the strokes, the network sees them as its noise z
(`stroke_noise`) and learns to paint strokes where it would otherwise average them away.

After Haeberli, "Paint by numbers" (SIGGRAPH 1990) and Hertzmann, "Painterly rendering with curved brush strokes of
multiple sizes" (SIGGRAPH 1998); here every pixel looks for its stroke, so that whole layers are tensor arithmetic.

Lengths are in pixels, angles in radians from the x axis towards the y axis, which points down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

_BAND = 2**16  # pixels at a time: what is computed of them stays in the processor's cache
_BEND = 0.35  # the most a stroke's ends stray from its axis, as a share of its half length


@dataclass(frozen=True)
class Layer:
    """One layer of strokes: a grid of `cell` pixels with one stroke in each cell.

    `length` and `width` are the mean full sizes of a stroke; `spread` is how far one stroke's size may differ from
    them (0.25: by a quarter); `density` is the share of cells that hold a stroke where nothing asks for more.
    """

    cell: int
    length: float
    width: float
    density: float = 1.0
    spread: float = 0.25

    @property
    def reach(self) -> float:
        """The farthest that a pixel of a stroke can be from the stroke's centre."""
        half_length, half_width = (size / 2 * (1 + self.spread) for size in (self.length, self.width))
        return math.hypot(half_length, _BEND * half_length + half_width)

    @property
    def margin(self) -> int:
        """How many cells beyond the picture's border hold strokes that can reach into it."""
        return int(self.reach // self.cell) + 1


LAYERS = (
    Layer(cell=12, length=46, width=13, density=1.0),
    Layer(cell=8, length=34, width=9, density=0.75),
    Layer(cell=6, length=23, width=6.2, density=0.6),
)
"""The layers of `stroke_noise`, large strokes first."""

STROKE_CHANNELS = 3 * len(LAYERS) + 2
"""The channels of `stroke_noise`."""


@dataclass(frozen=True)
class Strokes:
    """The random numbers of a layer on a picture, one a cell; cells include the margin around the picture.

    `height`, `breadth`: the picture's sides. The rest has the shape (rows, columns) of the grid. `y`, `x`: centres in
    pixels; `chance`: [0, 1), a stroke exists where it is below the density; `rank`: a permutation, the higher lies on
    top; `value`, `hue`: [-1, 1], how the stroke strays in colour; `phase`: [0, 1), where its bristles lie; `length`,
    `width`: half sizes in pixels.
    """

    layer: Layer
    height: int
    breadth: int
    y: Tensor
    x: Tensor
    chance: Tensor
    rank: Tensor
    value: Tensor
    hue: Tensor
    phase: Tensor
    length: Tensor
    width: Tensor

    def at_centres(self, field: Tensor) -> Tensor:
        """Return `field` (..., H, W) at the pixel under each stroke's centre, or the border pixel nearest to it."""
        rows = self.y.round().long().clamp(0, self.height - 1)
        columns = self.x.round().long().clamp(0, self.breadth - 1)
        return field[..., rows, columns]


@dataclass(frozen=True)
class Raster:
    """What each pixel of a picture sees of a layer, each (H, W).

    `covered`: whether any stroke covers it; `index`: the flat cell index of the topmost one; `along`, `across`: where
    in that stroke the pixel lies, [-1, 1] (0 and meaningless where nothing covers).
    """

    covered: Tensor
    index: Tensor
    along: Tensor
    across: Tensor

    def spread(self, per_cell: Tensor) -> Tensor:
        """Return `per_cell` (..., rows, columns) painted onto the pixels (..., H, W), whatever covers them."""
        return per_cell.flatten(-2)[..., self.index]


def generator(seed: int, stream: int) -> torch.Generator:
    """Return the random stream number `stream` of `seed`."""
    return torch.Generator().manual_seed((seed * 1_000_003 + stream * 7919) % 2**63)


def scatter(layer: Layer, height: int, width: int, seed: int, stream: int = 0) -> Strokes:
    """Draw the random numbers of a layer of strokes on a height×width picture; `stream` tells layers apart."""
    rows, columns = (-(-size // layer.cell) + 2 * layer.margin for size in (height, width))
    rng = generator(seed, stream + 1)
    y, x, chance, value, hue, phase, long, wide = torch.rand(8, rows, columns, generator=rng)
    down = torch.arange(rows).view(-1, 1) - layer.margin
    right = torch.arange(columns).view(1, -1) - layer.margin
    return Strokes(
        layer=layer,
        height=height,
        breadth=width,
        y=(down + y) * layer.cell,
        x=(right + x) * layer.cell,
        chance=chance,
        rank=torch.randperm(rows * columns, generator=rng).view(rows, columns),
        value=2 * value - 1,
        hue=2 * hue - 1,
        phase=phase,
        length=layer.length / 2 * (1 + layer.spread * (2 * long - 1)),
        width=layer.width / 2 * (1 + layer.spread * (2 * wide - 1)),
    )


def swirl_field(height: int, width: int, seed: int, scale: int = 160, drift: float = 1.0) -> Tensor:
    """Return a smooth orientation field theta (H, W) of large coherent swirls, in (-pi, pi].

    The field runs along the contour lines of smooth noise, in eddies about `scale` pixels wide, carried by a
    horizontal `drift` (0: eddies only; 2: hardly any).
    """
    rng = generator(seed, 0)
    eddies = smooth_noise(height + 1, width + 1, scale // 2, rng)
    potential = eddies + 0.2 * smooth_noise(height + 1, width + 1, scale // 4, rng)
    slope_y = (potential[1:, :-1] - potential[:-1, :-1]) * scale / 2
    slope_x = (potential[:-1, 1:] - potential[:-1, :-1]) * scale / 2
    return torch.atan2(-slope_x, slope_y + drift)


def smooth_noise(height: int, width: int, cell: int, rng: torch.Generator) -> Tensor:
    """Return noise (H, W) of about unit variance, smooth over `cell` pixels."""
    knots = torch.randn(1, 1, -(-height // cell) + 3, -(-width // cell) + 3, generator=rng)
    fine = F.interpolate(knots, scale_factor=float(cell), mode="bicubic", align_corners=False)
    return fine[0, 0, cell : cell + height, cell : cell + width]


def rasterise(strokes: Strokes, theta: Tensor, density: Tensor | None = None, size: Tensor | None = None) -> Raster:
    """Return the topmost stroke at every pixel, for strokes that follow the orientations `theta` (H, W).

    A stroke is the superellipse u^4 + v^2 < 1 of its along and across coordinates, bent to the turn of `theta`
    between its ends. `density` (rows, columns) replaces the layer's own; `size` (rows, columns), at most 1, shrinks
    strokes.
    """
    layer, cell, margin = strokes.layer, strokes.layer.cell, strokes.layer.margin
    present = strokes.chance < (layer.density if density is None else density)
    rank = torch.where(present, strokes.rank, -1).float()
    brush = _brush(strokes, theta, size)
    rows, columns = (side - 2 * margin for side in rank.shape)
    # Pixels are ordered (row in cell, column in cell, cell row, cell column): a neighbouring cell is then a slice.
    inner = torch.arange(cell, dtype=torch.float32)
    inner_y, inner_x = inner.view(-1, 1, 1, 1), inner.view(1, -1, 1, 1)
    best = torch.full((cell, cell, rows, columns), -1.0)
    band = max(_BAND // (cell * cell * columns), 1)
    for start, (dy, dx) in product(range(0, rows, band), list(_neighbours(layer))):
        top = best[:, :, start : start + band]
        first = start + margin + dy
        window = (slice(first, first + top.shape[2]), slice(margin + dx, margin + dx + columns))
        along, across = _local(brush[(slice(None), *window)], inner_y - dy * cell, inner_x - dx * cell)
        inside = along.square_().square_().add_(across.square_()) < 1
        torch.maximum(top, torch.where(inside, rank[window], -1.0), out=top)
    best = best.permute(2, 0, 3, 1).reshape(rows * cell, columns * cell)[: strokes.height, : strokes.breadth].long()
    return _raster(best, strokes, brush)


def _raster(best: Tensor, strokes: Strokes, brush: Tensor) -> Raster:
    """Return the raster of the strokes whose rank is `best` (H, W); -1 where there is none."""
    covered = best >= 0
    index = torch.argsort(strokes.rank.flatten())[best.clamp(min=0)]
    cell, margin, columns = strokes.layer.cell, strokes.layer.margin, strokes.rank.shape[1]
    origin_y = (index // columns - margin) * cell
    origin_x = (index % columns - margin) * cell
    pixel_y, pixel_x = torch.arange(best.shape[0]).view(-1, 1), torch.arange(best.shape[1]).view(1, -1)
    along, across = _local(brush.flatten(1)[:, index], (pixel_y - origin_y).float(), (pixel_x - origin_x).float())
    return Raster(covered, index, along * covered, across * covered)


def _neighbours(layer: Layer) -> Iterator[tuple[int, int]]:
    """Yield the cell offsets whose strokes can reach a pixel; a stroke's centre is inside its own cell."""
    span = range(-layer.margin, layer.margin + 1)
    for dy in span:
        for dx in span:
            gap = math.hypot(*(max(abs(step) - 1, 0) * layer.cell for step in (dy, dx)))
            if gap < layer.reach:
                yield dy, dx


def _brush(strokes: Strokes, theta: Tensor, size: Tensor | None) -> Tensor:
    """Return the coefficients (7, rows, columns) that `_local` needs, relative to each cell's corner."""
    shrink = torch.ones_like(strokes.length) if size is None else size
    length, width = strokes.length * shrink, strokes.width * shrink
    angle = strokes.at_centres(theta)
    cos, sin = angle.cos(), angle.sin()
    bend = _turn(strokes, theta, length * cos, length * sin).mul(length / 4)
    bend = bend.clamp(-_BEND * length, _BEND * length)
    cell, margin = strokes.layer.cell, strokes.layer.margin
    y = strokes.y - (torch.arange(strokes.y.shape[0]).view(-1, 1) - margin) * cell
    x = strokes.x - (torch.arange(strokes.x.shape[1]).view(1, -1) - margin) * cell
    along = (cos / length, sin / length, -(cos * x + sin * y) / length)
    across = (-sin / width, cos / width, (sin * x - cos * y) / width)
    return torch.stack((*along, *across, -bend / width))


def _turn(strokes: Strokes, theta: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Return by how much `theta` turns from one end of each stroke to the other, in [-pi/2, pi/2)."""
    height, width = theta.shape

    def at(sign: int) -> Tensor:
        rows = (strokes.y + sign * dy).round().long().clamp(0, height - 1)
        return theta[rows, (strokes.x + sign * dx).round().long().clamp(0, width - 1)]

    return torch.remainder(at(1) - at(-1) + math.pi / 2, math.pi) - math.pi / 2


def _local(brush: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return where in a stroke the points (y, x), relative to its cell's corner, lie: along and across."""
    along_x, along_y, along_0, across_x, across_y, across_0, bend = brush
    along = along_x * x + (along_y * y + along_0)
    across = across_x * x + (across_y * y + across_0)
    return along, torch.addcmul(across, bend * along, along)


def bristles(strokes: Strokes, raster: Raster) -> Tensor:
    """Return the height of the paint (H, W) in [0, 1]: ridges of bristles, thinning towards the stroke's end."""
    phase = raster.spread(strokes.phase) * 2 * math.pi
    hairs = torch.sin(7.0 * raster.across + phase) + 0.6 * torch.sin(12.0 * raster.across - 2 * phase + raster.along)
    crown = (1 - raster.across.square() * 0.8) * (1 - raster.along.square().square() * 0.6)
    return (crown * (0.72 + 0.175 * hairs) * (1 - 0.15 * raster.along)).clamp(0, 1) * raster.covered


def stroke_noise(
    height: int, width: int, seed: int, layers: tuple[Layer, ...] = LAYERS, *, centres: bool = False
) -> Tensor:
    """Return the canvas of `layers` painted from no picture: noise z (11, H, W) in [-1, 1], float32 on the CPU.

    Three channels after each layer (the visible stroke's value and hue, and the height of the paint), then cos and
    sin of twice the orientation. Whatever a layer leaves bare shows the layer below. Defined in pixels, not in shares
    of the picture: strokes are as large on any picture.

    With `centres` two channels a layer follow: how many pixels down and right the centre of the visible stroke lies.
    """
    theta = swirl_field(height, width, seed)
    noise = torch.empty(3 * len(layers) + 2 + 2 * centres * len(layers), height, width)
    *canvases, orientation = noise[: 3 * len(layers) + 2].split(3)
    offsets = noise[3 * len(layers) + 2 :].split(2)
    torch.stack(((2 * theta).cos(), (2 * theta).sin()), out=orientation)
    canvas, away = torch.zeros(3, 1, 1), torch.zeros(2, 1, 1)
    for number, layer in enumerate(layers):
        strokes = scatter(layer, height, width, seed, number)
        raster = rasterise(strokes, theta)
        painted = (raster.spread(strokes.value), raster.spread(strokes.hue), 2 * bristles(strokes, raster) - 1)
        canvas = _over(canvas, painted, raster.covered, out=canvases[number])
        if centres:
            down, across = torch.arange(height).view(-1, 1), torch.arange(width)
            distance = (raster.spread(strokes.y) - down, raster.spread(strokes.x) - across)
            away = _over(away, distance, raster.covered, out=offsets[number])
    return noise


def _over(below: Tensor, laid: tuple[Tensor, ...], covered: Tensor, out: Tensor) -> Tensor:
    """Write what is laid, plane by plane, over what lies below, where it covers."""
    for plane, ground, result in zip(laid, below, out, strict=True):
        torch.where(covered, plane, ground, out=result)
    return out
