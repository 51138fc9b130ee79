"""Brush strokes as random fields: jittered grids of strokes, rasterised so that the topmost one wins.

A painter lays strokes on jittered grids, large ones first. Where the strokes lie, which lies on top and how each one
strays in colour is random, and depends on the height, the width and the seed alone. So a painting program and a
generator network can share it: the program paints with the strokes, the network sees them as its noise z
(`artkit.nn.noise`) and learns to paint strokes where it would otherwise average them away.

After Haeberli, "Paint by numbers" (SIGGRAPH 1990) and Hertzmann, "Painterly rendering with curved brush strokes of
multiple sizes" (SIGGRAPH 1998); here every pixel looks for its stroke, so that whole layers are tensor arithmetic.

Lengths are in pixels, angles in radians from the x axis towards the y axis, which points down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

_BAND = 2**16  # pixels at a time: what is computed of them stays in the processor's cache
_SLACK = 1e-3  # of a stroke's half size: more than what rounding may add to it
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

    def enlarged(self, scale: int) -> Layer:
        """Return the layer whose strokes, of the same random numbers, are `scale` times as large."""
        return replace(self, cell=self.cell * scale, length=self.length * scale, width=self.width * scale)

    @property
    def reach(self) -> float:
        """The farthest that a pixel of a stroke can be from the stroke's centre."""
        half_length, half_width = (size / 2 * (1 + self.spread) for size in (self.length, self.width))
        return math.hypot(half_length, _BEND * half_length + half_width)

    @property
    def margin(self) -> int:
        """How many cells beyond the picture's border hold strokes that can reach into it."""
        return int(self.reach // self.cell) + 1

    @property
    def span(self) -> int:
        """How many cells in a row may hold strokes that reach into the middle one."""
        return 2 * self.margin + 1


LAYERS = (
    Layer(cell=12, length=46, width=13, density=1.0),
    Layer(cell=8, length=34, width=9, density=0.75),
    Layer(cell=6, length=23, width=6.2, density=0.6),
)
"""The layers of `artkit.nn.stroke_noise`, large strokes first."""

STROKE_CHANNELS = 3 * len(LAYERS) + 2
"""The channels of `artkit.nn.stroke_noise`."""


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
        return _pick(per_cell.flatten(-2), self.index)


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """Return `values` (..., n) at `index` (H, W): what indexing does, in a quarter of its time."""
    return values.index_select(-1, index.flatten()).unflatten(-1, index.shape)


def generator(seed: int, stream: int) -> torch.Generator:
    """Return the random stream number `stream` of `seed`."""
    return torch.Generator().manual_seed((seed * 1_000_003 + stream * 7919) % 2**63)


def scatter(
    layer: Layer, height: int, width: int, seed: int, stream: int = 0, device: torch.device | None = None
) -> Strokes:
    """Draw the random numbers of a layer of strokes on a height×width picture; `stream` tells layers apart.

    They are drawn on the CPU, so that they are the same on every `device`.
    """
    rows, columns = (-(-size // layer.cell) + 2 * layer.margin for size in (height, width))
    rng = generator(seed, stream + 1)
    y, x, chance, value, hue, phase, long, wide = torch.rand(8, rows, columns, generator=rng).to(device)
    down = torch.arange(rows, device=device).view(-1, 1) - layer.margin
    right = torch.arange(columns, device=device).view(1, -1) - layer.margin
    return Strokes(
        layer=layer,
        height=height,
        breadth=width,
        y=(down + y) * layer.cell,
        x=(right + x) * layer.cell,
        chance=chance,
        rank=torch.randperm(rows * columns, generator=rng).view(rows, columns).to(device),
        value=2 * value - 1,
        hue=2 * hue - 1,
        phase=phase,
        length=layer.length / 2 * (1 + layer.spread * (2 * long - 1)),
        width=layer.width / 2 * (1 + layer.spread * (2 * wide - 1)),
    )


def swirl_field(
    height: int, width: int, seed: int, scale: int = 160, drift: float = 1.0, device: torch.device | None = None
) -> Tensor:
    """Return a smooth orientation field theta (H, W) of large coherent swirls, in (-pi, pi].

    The field runs along the contour lines of smooth noise, in eddies about `scale` pixels wide, carried by a
    horizontal `drift` (0: eddies only; 2: hardly any).
    """
    rng = generator(seed, 0)
    eddies = smooth_noise(height + 1, width + 1, scale // 2, rng, device)
    potential = eddies + 0.2 * smooth_noise(height + 1, width + 1, scale // 4, rng, device)
    slope_y = (potential[1:, :-1] - potential[:-1, :-1]) * scale / 2
    slope_x = (potential[:-1, 1:] - potential[:-1, :-1]) * scale / 2
    return torch.atan2(-slope_x, slope_y + drift)


def smooth_noise(
    height: int, width: int, cell: int, rng: torch.Generator, device: torch.device | None = None
) -> Tensor:
    """Return noise (H, W) of about unit variance, smooth over `cell` pixels."""
    knots = torch.randn(1, 1, -(-height // cell) + 3, -(-width // cell) + 3, generator=rng).to(device)
    fine = F.interpolate(knots, scale_factor=float(cell), mode="bicubic", align_corners=False)
    return fine[0, 0, cell : cell + height, cell : cell + width]


def rasterise(strokes: Strokes, theta: Tensor, density: Tensor | None = None, size: Tensor | None = None) -> Raster:
    """Return the topmost stroke at every pixel, for strokes that follow the orientations `theta` (H, W).

    A stroke is the superellipse u^4 + v^2 < 1 of its along and across coordinates, bent to the turn of `theta`
    between its ends. `density` (rows, columns) replaces the layer's own; `size` (rows, columns), at most 1, shrinks
    strokes.
    """
    layer, margin = strokes.layer, strokes.layer.margin
    present = strokes.chance < (layer.density if density is None else density)
    rank = torch.where(present, strokes.rank, -1).float()
    brush = _brush(strokes, theta, size)
    rows, columns = (side - 2 * margin for side in rank.shape)
    band = max(_BAND // (layer.cell**2 * columns), 1) if theta.device.type == "cpu" else rows
    starts = range(0, rows, band)
    bands = [slice(start, min(start + band, rows) + 2 * margin) for start in starts]
    best = torch.cat([_topmost(layer, brush[:, cells], rank[cells]) for cells in bands])
    return _raster(best[: strokes.height, : strokes.breadth].long(), strokes, brush)


def _topmost(layer: Layer, brush: Tensor, rank: Tensor) -> Tensor:
    """Return the highest rank at each pixel (rows x cell, columns x cell) of the cells inside the margin, -1 for none.

    Pixels are ordered (row in cell, column in cell, cell), and cells that meet many strokes come first: the cells that
    meet an n-th stroke are then a slice, and all that is computed of them are long rows of numbers.
    """
    cell, rows, columns = layer.cell, *(side - 2 * layer.margin for side in rank.shape)
    meets = _meets(layer, brush, rank >= 0)
    order = meets.sum(0).argsort(descending=True)
    meets = meets.index_select(1, order)
    turn = meets.cumsum(0, dtype=torch.int32).T[meets.T]  # the stroke's number, from 1, among those that meet the cell
    sequence = turn.argsort(stable=True)
    target, offset = (index[sequence] for index in meets.T.nonzero(as_tuple=True))
    dy, dx = offset // layer.span, offset % layer.span
    source = (order[target] // columns + dy) * rank.shape[1] + order[target] % columns + dx
    inner = torch.arange(cell, device=rank.device)
    y = (inner.view(-1, 1, 1) - (dy - layer.margin) * cell).float()
    x = (inner.view(1, -1, 1) - (dx - layer.margin) * cell).float()
    brush, level = brush.flatten(1).index_select(1, source), rank.flatten()[source] + 1
    best = torch.zeros(cell, cell, rows * columns, device=rank.device)
    start = 0
    for count in turn.bincount()[1:].tolist():
        now = slice(start, start + count)
        along, across = _local(brush[:, now], y[..., now], x[..., now])
        extent = along.square_().square_().add_(across.square_())
        inside = torch.lt(extent, 1, out=extent)  # 0 or 1: choosing by truth values takes many times as long
        torch.maximum(best[..., :count], inside.mul_(level[now]), out=best[..., :count])
        start += count
    placed = torch.empty_like(best)
    placed[..., order] = best - 1
    return placed.view(cell, cell, rows, columns).permute(2, 0, 3, 1).reshape(rows * cell, columns * cell)


def _meets(layer: Layer, brush: Tensor, present: Tensor) -> Tensor:
    """Return (D², cells): which strokes of the D×D cells around each cell may cover pixels of it.

    Along or across a stroke a cell reaches from its middle by half its side times |cos| + |sin|; a bend moves the
    stroke across by no more than its own coefficient.
    """
    along_x, along_y, along_0, across_x, across_y, across_0, bend = brush
    half, rows, columns = (layer.cell - 1) / 2, *(side - 2 * layer.margin for side in present.shape)
    far = torch.where(present, half * (along_x.abs() + along_y.abs()) + 1 + _SLACK, -1.0)
    wide = half * (across_x.abs() + across_y.abs()) + 1 + _SLACK
    least, most = -wide - bend.clamp(min=0), wide - bend.clamp(max=0)
    stacked = torch.stack((along_x, along_y, along_0, far, across_x, across_y, across_0, least, most))
    around = stacked.unfold(1, rows, 1).unfold(2, columns, 1)  # 9, D, D, rows, columns, without a copy
    along_x, along_y, along_0, far, across_x, across_y, across_0, least, most = around
    step = torch.arange(-layer.margin, layer.margin + 1, device=brush.device)
    middle = half - step * layer.cell
    y, x = middle.view(-1, 1, 1, 1), middle.view(1, -1, 1, 1)
    across = across_x * x + across_y * y + across_0
    met = (along_x * x + along_y * y + along_0).abs() < far
    return (met & (across > least) & (across < most)).flatten(2).flatten(0, 1)


def _raster(best: Tensor, strokes: Strokes, brush: Tensor) -> Raster:
    """Return the raster of the strokes whose rank is `best` (H, W); -1 where there is none."""
    covered = best >= 0
    cell, margin, rank = strokes.layer.cell, strokes.layer.margin, strokes.rank.flatten()
    cells = torch.arange(len(rank), device=rank.device)
    index = _pick(torch.empty_like(rank).scatter_(0, rank, cells), best.clamp_(min=0))
    corners = torch.stack((cells // strokes.rank.shape[1], cells % strokes.rank.shape[1])).sub(margin).mul(cell).float()
    corner_y, corner_x, *painted = _pick(torch.cat((corners, brush.flatten(1))), index)
    y, x = (torch.arange(float(side), device=rank.device) for side in best.shape)
    along, across = _local(painted, y.view(-1, 1) - corner_y, x - corner_x)
    return Raster(covered, index, along * covered, across * covered)


def _brush(strokes: Strokes, theta: Tensor, size: Tensor | None) -> Tensor:
    """Return the coefficients (7, rows, columns) that `_local` needs, relative to each cell's corner."""
    shrink = torch.ones_like(strokes.length) if size is None else size
    length, width = strokes.length * shrink, strokes.width * shrink
    angle = strokes.at_centres(theta)
    cos, sin = angle.cos(), angle.sin()
    bend = _turn(strokes, theta, length * cos, length * sin).mul(length / 4)
    bend = bend.clamp(-_BEND * length, _BEND * length)
    cell, margin = strokes.layer.cell, strokes.layer.margin
    rows, columns = (torch.arange(side, device=theta.device) - margin for side in strokes.y.shape)
    y, x = strokes.y - rows.view(-1, 1) * cell, strokes.x - columns * cell
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


def _local(brush: Iterable[Tensor], y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
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
