"""nst's engine `vgg` in tiles: they cover the picture, and what they give together is what the whole gives."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import given, strategies as st

import vgg_kit
from artkit_nst.levels import Maps
from artkit_nst.patches import Source
from artkit_nst.vgg import network as network_module
from artkit_nst.vgg.losses import STYLE_LOSSES, SlicedLoss
from artkit_nst.vgg.network import HALO, STYLE
from artkit_nst.vgg.objective import SIDE, Objective, Spot, Weights, cover, feature_size
from artkit_nst.vgg.transfer import Descent
from vgg_kit import small_network

SIZE, TILE = (50, 1330), 64  # pixels; a tile with its halo is smaller than the picture
WEIGHTS = Weights(content=0.3, style=1.0, variation=0.5)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Make VGG-19 narrow, so that random weights are small."""
    monkeypatch.setattr(network_module, "WIDTHS", vgg_kit.WIDTHS)


def noise(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def halves(height: int, width: int) -> torch.Tensor:
    left = (torch.arange(width) < width // 3).float().expand(height, width)
    return torch.stack([left, 1 - left])


def objective(loss: str, side: int, *, regions: bool = False, dtype: torch.dtype = torch.float32) -> Objective:
    styles = [Source(noise(90, 300, 5) ** 2, 0.7, halves(90, 300)), Source(noise(40, 30, 6), 0.3, halves(40, 30))]
    styles = [Source(one.picture.to(dtype), one.share, one.regions if regions else None) for one in styles]
    maps = Maps(halves(*SIZE) if regions else None, noise(*SIZE, 7)[:1].to(dtype) if regions else None)
    return Objective(
        small_network().to(dtype), noise(*SIZE, 1).to(dtype), styles, maps, STYLE_LOSSES[loss], WEIGHTS, side
    )


@given(st.integers(1, 500), st.integers(1, 900), st.sampled_from([16, 32, 64, 512]), st.integers(0, 50))
def test_tiles_cover_every_pixel_once_and_are_no_larger_than_they_should(height, width, side, turn):
    covered = torch.zeros(height, width)
    for tile in cover((height, width), turn, side):
        covered[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop] += 1
        _, rows, columns = tile.surroundings
        assert (rows.stop - rows.start) * (columns.stop - columns.start) <= (side + 2 * HALO) ** 2
    assert bool((covered == 1).all())


def test_tiles_never_stay_in_one_place():
    starts = {tuple(tile.columns.start for tile in cover((100, 5000), turn))[1] for turn in range(20)}
    assert len(starts) > 10
    assert all(start % 16 == 0 for start in starts)


def test_pictures_of_usual_sizes_are_one_tile():
    assert len(cover((512, 768), 3)) == 1
    assert len(cover((1024, 1024), 3, SIDE)) >= 4


def test_features_and_places_of_tiles_are_those_of_the_whole():
    network, picture = small_network(), noise(*SIZE)
    whole = network(picture)
    tiles = cover(SIZE, 1, TILE)
    assert len(tiles) > 20
    for layer in STYLE:
        count = feature_size(SIZE, layer)[0] * feature_size(SIZE, layer)[1]
        assert torch.cat([tile.places(layer) for tile in tiles]).sort().values.equal(torch.arange(count))
    for tile in tiles[::7]:
        found = network(picture[tile.surroundings])
        for layer, features in whole.items():
            flat = features.flatten(1)[:, tile.places(layer)]
            assert torch.allclose(tile.crop(layer, found[layer]).flatten(1), flat, atol=1e-5)
            assert torch.equal(tile.part(layer, features).flatten(1), flat)


@pytest.mark.parametrize("regions", [False, True])
@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_the_gradient_in_tiles_is_that_of_the_whole(loss, regions, monkeypatch):
    monkeypatch.setattr(SlicedLoss, "sample", 500)
    picture = noise(*SIZE, 2)
    value, gradient = objective(loss, SIDE, regions=regions).gradient(picture, 3)
    tiled_value, tiled = objective(loss, TILE, regions=regions).gradient(picture, 3)
    assert tiled_value == pytest.approx(value, rel=1e-4)
    assert float((tiled - gradient).abs().max()) < 1e-3 * float(gradient.abs().max())


@pytest.mark.parametrize(("optimiser", "loss"), [("adam", "gram"), ("adam", "sliced"), ("lbfgs", "w2")])
def test_the_picture_in_tiles_is_the_whole_one(optimiser, loss):
    """In double precision: in single, rounding alone leads optimisers apart, by less than a level for a smooth loss."""
    pictures = []
    for side in (SIDE, TILE):
        aim, descent = objective(loss, side, dtype=torch.float64), Descent(noise(*SIZE, 2).double(), optimiser)
        for step in range(3):
            assert descent.step(partial(aim.gradient, turn=step))
        pictures.append(descent.good)
    assert float((pictures[0] - noise(*SIZE, 2)).abs().max()) > 0.01
    assert float((pictures[0] - pictures[1]).abs().max()) <= 1e-3 / 255


def test_the_picture_in_tiles_is_the_whole_one_within_a_level_in_single_precision():
    pictures = []
    for side in (SIDE, TILE):
        aim, descent = objective("gram", side), Descent(noise(*SIZE, 2), "adam")
        for step in range(3):
            assert descent.step(partial(aim.gradient, turn=step))
        pictures.append(descent.good)
    assert float((pictures[0] - pictures[1]).abs().max()) <= 1 / 255


def test_no_more_than_a_tile_is_looked_at_at_once():
    seen = []
    aim = objective("w2", TILE)
    aim.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0].numel()))
    aim.gradient(noise(*SIZE, 2))
    assert max(seen) <= (TILE + 2 * HALO) ** 2 < SIZE[0] * SIZE[1]


def test_a_sample_is_of_other_places_at_every_turn():
    spot = Spot("relu1_1", 10_000, torch.arange(0, 20_000, 2))
    assert spot.at_most(None, 0) is spot
    assert spot.at_most(10_000, 0) is spot
    one, again, other = (spot.at_most(300, turn).places for turn in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert 250 < len(one) <= 300
    assert bool((one % 2 == 0).all())
    assert bool((one.diff() > 0).all())
