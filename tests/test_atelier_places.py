"""Places seen from above: maps, and photos from the air."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artkit.data import open_dataset
from artkit.errors import DataError, OutputError
from artkit_atelier import PlacesOptions
from artkit_atelier.aerial import open_places, write_places
from artkit_atelier.places import GROUND, HOUSE, MAIN_ROAD, MAP, VILLAGE, WATER, make_place

PLACES = PlacesOptions(count=12, seed=3, size=(48, 32))
SHAPES = [make_place(seed, 192, 192) for seed in range(8)]


def find(place, colour):
    return np.abs(place.map - colour).max(2) < 1e-6


def test_a_place_is_the_same_for_the_same_seed_and_another_for_another():
    first, again, other = make_place(1, 32, 48), make_place(1, 32, 48), make_place(2, 32, 48)
    assert first.map.shape == first.air.shape == (32, 48, 3)
    assert np.array_equal(first.map, again.map)
    assert np.array_equal(first.air, again.air)
    assert not np.array_equal(first.map, other.map)
    for side in (first.map, first.air):
        assert (side.dtype, side.min() >= 0, side.max() <= 1) == (np.float32, True, True)


def test_a_map_has_the_colours_of_its_legend():
    for place in SHAPES:
        known = np.any([find(place, colour) for colour in (*MAP, MAIN_ROAD)], axis=0)
        assert known.all()
    assert any(find(place, MAP[WATER]).any() for place in SHAPES)
    assert not all(find(place, MAP[WATER]).any() for place in SHAPES)
    assert all(find(place, MAIN_ROAD).mean() > 0.005 for place in SHAPES)


def test_a_place_is_alike_at_every_size():
    for seed in range(4):
        small, large = make_place(seed, 96, 144).map, make_place(seed, 192, 288).map
        picked = large.reshape(96, 2, 144, 2, 3).mean((1, 3))
        assert np.mean(np.abs(small - picked).max(2) > 0.1) < 0.09  # borders, a pixel wide


def test_what_the_map_shows_is_there_from_the_air():
    water = np.concatenate([place.air[find(place, MAP[WATER])] for place in SHAPES])
    assert np.abs(water.mean(0) - GROUND[WATER]).max() < 0.03
    houses = np.concatenate([place.air[find(place, MAP[HOUSE])] for place in SHAPES])
    gardens = np.concatenate([place.air[find(place, MAP[VILLAGE])] for place in SHAPES])
    assert houses.std(0).mean() > gardens.std(0).mean()  # two slopes, several roofs
    assert len(houses) > 0.15 * len(gardens)


def test_houses_cast_shadows_to_the_lower_right():
    darker = []
    for place in SHAPES:
        house = find(place, MAP[HOUSE])
        garden = find(place, MAP[VILLAGE])
        lower = garden[2:, 2:] & house[:-2, :-2]
        upper = garden[:-2, :-2] & house[2:, 2:]
        if lower.any() and upper.any():
            darker.append(place.air[2:, 2:][lower].mean() / place.air[:-2, :-2][upper].mean())
    assert len(darker) > 4
    assert np.mean(darker) < 0.75


def test_the_stream_and_the_folder_hold_the_same(tmp_path):
    done = []
    write_places(tmp_path, PLACES, 1, lambda: done.append(1))
    assert len(done) == 12
    for split, count in (("train", 11), ("val", 1)):
        stream, folder = open_places(PLACES, split), open_dataset(str(tmp_path), split)
        assert len(stream) == len(folder) == count
        names = ["map", "air"]
        for index in (0, count - 1):
            a, b = stream.load(index, names), folder.load(index, names)
            assert all(np.array_equal(a[name], b[name]) for name in names)
    assert np.asarray(Image.open(tmp_path / "val" / "air" / "00009.png")).shape == (32, 48, 3)
    assert stream.load(0, ["map"]).keys() == {"map"}
    with pytest.raises(OutputError, match="is not empty"):
        write_places(tmp_path, PLACES, 1, print)


def test_too_few_places_for_a_split():
    with pytest.raises(DataError, match=r"places\(count=9\) has no places for the split 'val': raise count\."):
        open_places(PlacesOptions(count=9), "val")
