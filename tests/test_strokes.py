"""Strokes: the fast rasteriser against a slow one, and the noise that generators see."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st

from artkit.nn.noise import stroke_noise
from artkit.nn.strokes import (
    LAYERS,
    Layer,
    Raster,
    Strokes,
    _brush,
    _local,
    bristles,
    rasterise,
    scatter,
    swirl_field,
)


def _inside(strokes: Strokes, cell: tuple[int, int], theta: torch.Tensor, y: int, x: int) -> bool:
    """Whether the pixel lies in the stroke, one number at a time and in the picture's coordinates."""
    height, width = theta.shape

    def angle(at_y: float, at_x: float) -> float:
        row, column = (min(max(round(at), 0), side - 1) for at, side in ((at_y, height), (at_x, width)))
        return float(theta[row, column])

    centre_y, centre_x = float(strokes.y[cell]), float(strokes.x[cell])
    length, broad = float(strokes.length[cell]), float(strokes.width[cell])
    t = angle(centre_y, centre_x)
    cos, sin = math.cos(t), math.sin(t)
    ends = (angle(centre_y + s * length * sin, centre_x + s * length * cos) for s in (1, -1))
    turn = (next(ends) - next(ends) + math.pi / 2) % math.pi - math.pi / 2
    bend = min(max(turn * length / 4, -0.35 * length), 0.35 * length)
    along = ((x - centre_x) * cos + (y - centre_y) * sin) / length
    across = ((y - centre_y) * cos - (x - centre_x) * sin - bend * along**2) / broad
    return along**4 + across**2 < 1


def _slow(strokes: Strokes, theta: torch.Tensor) -> torch.Tensor:
    """The flat index of the topmost stroke at each pixel, -1 for none, by trying every stroke at every pixel."""
    height, width = theta.shape
    rows, columns = strokes.rank.shape
    cells = [(i, j) for i in range(rows) for j in range(columns) if strokes.chance[i, j] < strokes.layer.density]
    cells.sort(key=lambda cell: -int(strokes.rank[cell]))
    result = torch.full((height, width), -1)
    for y in range(height):
        for x in range(width):
            top = next((cell for cell in cells if _inside(strokes, cell, theta, y, x)), None)
            if top is not None:
                result[y, x] = top[0] * columns + top[1]
    return result


@pytest.mark.parametrize(
    "layer", [Layer(cell=4, length=14, width=4, density=0.6), Layer(cell=3, length=4, width=4), LAYERS[0]]
)
@pytest.mark.parametrize("size", [(11, 14), (5, 3)])
def test_rasterise_equals_a_slow_loop(layer: Layer, size: tuple[int, int]) -> None:
    theta = swirl_field(*size, seed=5, scale=16)
    strokes = scatter(layer, *size, seed=5)
    raster = rasterise(strokes, theta)
    expected = _slow(strokes, theta)
    assert torch.equal(raster.covered, expected >= 0)
    assert torch.equal(raster.index[raster.covered], expected[raster.covered])


def _every_stroke(strokes: Strokes, theta: torch.Tensor) -> Raster:
    """The raster by laying one stroke after another over the whole picture, in the arithmetic of the fast one."""
    (height, width), cell, margin = theta.shape, strokes.layer.cell, strokes.layer.margin
    columns = strokes.rank.shape[1]
    y, x = torch.arange(float(height)).view(-1, 1), torch.arange(float(width))
    brush = _brush(strokes, theta, None).flatten(1)
    best = torch.full((height, width), -1)
    index, along, across = torch.zeros_like(best), torch.zeros(height, width), torch.zeros(height, width)
    for place in strokes.rank.flatten().argsort().tolist():
        row, column = divmod(place, columns)
        if strokes.chance[row, column] >= strokes.layer.density:
            continue
        u, v = _local(brush[:, place], y - (row - margin) * cell, x - (column - margin) * cell)
        inside = u.square().square() + v.square() < 1
        best[inside], index[inside] = place, place
        along[inside], across[inside] = u[inside], v[inside]
    return Raster(best >= 0, index, along, across)


@pytest.mark.parametrize("size", [(40, 56), (7, 90), (90, 7), (1, 1), (31, 24)])
@pytest.mark.parametrize("band", [2**16, 2**9])  # one band of cells, and many
def test_noise_equals_laying_every_stroke_bit_by_bit(
    size: tuple[int, int], band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artkit.nn.strokes._BAND", band)
    layers, seed = (*LAYERS, Layer(cell=4, length=12, width=4.2, density=0.9)), 11 + band
    theta = swirl_field(*size, seed)
    planes, away = torch.zeros(3, *size), torch.zeros(2, *size)
    canvases, offsets = [], []
    for number, layer in enumerate(layers):
        strokes = scatter(layer, *size, seed, number)
        raster = _every_stroke(strokes, theta)
        laid = (raster.spread(strokes.value), raster.spread(strokes.hue), 2 * bristles(strokes, raster) - 1)
        planes = torch.where(raster.covered, torch.stack(laid), planes)
        down, right = torch.arange(size[0]).view(-1, 1), torch.arange(size[1])
        centre = torch.stack((raster.spread(strokes.y) - down, raster.spread(strokes.x) - right))
        away = torch.where(raster.covered, centre, away)
        canvases.append(planes)
        offsets.append(away)
    expected = torch.cat([*canvases, torch.stack(((2 * theta).cos(), (2 * theta).sin())), *offsets])
    assert torch.equal(stroke_noise(*size, seed, layers, centres=True), expected)


def test_pixels_lie_within_their_stroke() -> None:
    strokes = scatter(LAYERS[1], 40, 50, seed=1)
    raster = rasterise(strokes, swirl_field(40, 50, seed=1))
    along, across = raster.along[raster.covered], raster.across[raster.covered]
    assert (along**4 + across**2 < 1 + 1e-4).all()
    assert raster.along.min() < -0.8
    assert raster.along.max() > 0.8
    assert (bristles(strokes, raster)[~raster.covered] == 0).all()


def test_density_and_size_shape_a_layer() -> None:
    layer = Layer(cell=5, length=12, width=5)
    strokes, theta = scatter(layer, 40, 40, seed=2), torch.zeros(40, 40)
    full = rasterise(strokes, theta).covered.sum()
    assert not rasterise(strokes, theta, density=torch.zeros(strokes.rank.shape)).covered.any()
    assert 0 < rasterise(strokes, theta, size=torch.full(strokes.rank.shape, 0.5)).covered.sum() < full


def test_strokes_lie_in_their_cells_and_rank_is_a_permutation() -> None:
    layer = LAYERS[2]
    strokes = scatter(layer, 20, 33, seed=4)
    row = (strokes.y / layer.cell).floor().long() + layer.margin
    assert torch.equal(row, torch.arange(row.shape[0]).view(-1, 1).expand_as(row))
    assert torch.equal(strokes.rank.flatten().sort().values, torch.arange(strokes.rank.numel()))


@settings(max_examples=12, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 2**40))
def test_noise_has_its_shape_range_and_bits(height: int, width: int, seed: int) -> None:
    noise = stroke_noise(height, width, seed)
    assert noise.shape == (11, height, width)
    assert noise.dtype == torch.float32
    assert noise.abs().max() <= 1
    assert torch.equal(noise, stroke_noise(height, width, seed))


def test_noise_depends_on_the_seed_and_not_on_global_state() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = stroke_noise(32, 48, 7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(first, stroke_noise(32, 48, 7))
    assert (first != stroke_noise(32, 48, 8)).float().mean() > 0.9


def test_noise_shows_flat_strokes() -> None:
    value = stroke_noise(96, 96, 3)[6]
    same = (value[:, 1:] == value[:, :-1]).float().mean()
    assert same > 0.6, "neighbouring pixels mostly belong to the same stroke"
    assert value.unique().numel() > 100


def test_swirl_field_is_smooth() -> None:
    theta = swirl_field(128, 128, seed=1)
    double = torch.stack((torch.cos(2 * theta), torch.sin(2 * theta)))
    steps = (double[:, :, 1:] - double[:, :, :-1]).norm(dim=0)
    assert steps.median() < 0.1
    assert double.flatten(1).std(dim=1).min() > 0.2, "it takes many orientations"
