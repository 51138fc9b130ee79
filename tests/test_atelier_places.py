"""Places seen from above: maps, and photos from the air."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artkit.data import open_dataset
from artkit.errors import DataError, OutputError
from artkit_atelier import PlacesOptions
from artkit_atelier.aerial import open_places, write_places
from artkit_atelier.places import GROUND, HOUSE, MAIN_ROAD, MAP, ROAD, VILLAGE, WATER, _shadow, make_place

PLACES = PlacesOptions(count=12, seed=3, size=(48, 32))
SHAPES = [make_place(seed, 192, 192) for seed in range(8)]
LETTERS = ",.*v+~#="  # fields, meadows, woods, villages, roads, water, houses, main roads
DRAWN = """
,,,****=~~,,,,,.......,,,,****,,,,,,+#vv
,,,*****,~,,,,,....,,,,,,+****+,,,,,,v#v
,,,*****=~,,,,*,+,,,,,,,,******,,,,,+v#v
,,,+****=~,+***,,+,,,,,,+******,,,,,,vv#
,,,,****=.*****,,,++,,,,,******++,,,,#v#
,,,,***~~..+***,,,+,,,,,,*******.....vvv
,,,,+***=....+,,,,+,,,,,,*****+v+....v#v
,,,++**=*~+..,+++vv,,,,,,****+vvv,+...vv
******v**~~*,+,,v#vv,,,,,,,,,,vv,,,,,+vv
*****vv+*~**,,+,v#vvv,,,,,,,,,+,+,,,,,,+
,+**+=v+~***,,,++vv#v+,,,,,,,+,,,,,,,+,,
+,+*v=+v~***,,,+,,,,,,++#v,,,vvvvv,,,,,,
#,,,v=vv~+**,,,,,,,,,,vvvv#v,,vvvvv+,,,,
##,,+=v~#v+*+,,,,,,,,,vvv#v#,,,,,+vv,,,,
vvv,+v#~vv#+,,,,,,,,,+vvvvvvv,,,,,,,,,,,
vvv+vv=~vvvv,,,,,,,,,vvv#v#v#,,,,,,,,,,,
"""
FROM_THE_AIR = [
    (0.615, 0.559, 0.309), (0.398, 0.517, 0.239), (0.141, 0.262, 0.121), (0.442, 0.461, 0.338), (0.519, 0.509, 0.490),
    (0.129, 0.218, 0.267), (0.529, 0.348, 0.312), (0.538, 0.529, 0.509),
]  # fmt: skip
"""The mean colours of the letters."""
VARIED = (0.132, 0.020, 0.039, 0.095, 0.082, 0.007, 0.130, 0.066)
"""How much their red deviates from it: rows of crops, crowns, slopes of roofs, shadows; water is calm."""


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


def test_a_place_stays_as_it_is():
    """Studies are repeated by the seeds of their places: what is drawn under a seed is part of them."""
    place = make_place(3, 16, 40)
    kinds = np.stack([np.abs(place.map - colour).max(2) for colour in (*MAP, MAIN_ROAD)]).argmin(0)
    known = np.array([[LETTERS.index(letter) for letter in row] for row in DRAWN.split()])
    assert (kinds != known).mean() < 0.005  # a border may be rounded otherwise on another processor
    for colour, mean, deviation in zip((*MAP, MAIN_ROAD), FROM_THE_AIR, VARIED, strict=True):
        seen = np.concatenate([place.air[find(place, colour)] for place in SHAPES])
        assert seen.mean(0) == pytest.approx(np.array(mean), abs=0.002)
        assert seen[:, 0].std() == pytest.approx(deviation, abs=0.002)


def test_main_roads_are_roads_from_the_air_where_they_cross_water_too():
    for place in SHAPES:
        road = place.air[find(place, MAIN_ROAD)].mean(0)
        assert np.abs(road / road.max() - GROUND[ROAD] / GROUND[ROAD].max()).max() < 0.01


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


def test_a_shadow_falls_beside_what_is_high_and_not_on_it():
    high = np.zeros((8, 9), bool)
    high[2:4, 3:5] = True
    cast = np.zeros_like(high)
    cast[[3, 4, 4, 4, 5, 5], [5, 4, 5, 6, 5, 6]] = True
    assert np.array_equal(_shadow(high, 170), cast)  # 0.012 heights are two pixels


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
    assert not stream.mirrors  # light falls from the left in all of them
    with pytest.raises(OutputError, match="is not empty"):
        write_places(tmp_path, PLACES, 1, print)


def test_too_few_places_for_a_split():
    with pytest.raises(DataError, match=r"places\(count=9\) has no places for the split 'val': raise count\."):
        open_places(PlacesOptions(count=9), "val")
