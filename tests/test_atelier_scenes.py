"""Scenes of the atelier: the same picture at every size and in every light."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from artkit.errors import OptionError
from artkit_atelier.classes import COLOURS, MOUNTAIN, NAMES, SKY, WATER
from artkit_atelier.layout import compose
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.scenes import draw, make_frames, make_scene


@pytest.fixture(scope="module")
def world():
    return [make_scene(seed, 32, 32) for seed in range(40)]


def test_the_same_seed_gives_the_same_bits():
    first, second = make_scene(7, 40, 56), make_scene(7, 40, 56)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.photo, second.photo)
    assert first.caption == second.caption


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 70), st.integers(1, 70), st.floats(0, 1))
def test_any_seed_and_size_gives_a_whole_picture(seed, height, width, camera):
    scene = make_scene(seed, height, width, camera=camera)
    assert scene.labels.shape == (height, width)
    assert scene.labels.dtype == np.uint8
    assert scene.labels.max() < len(NAMES)
    assert scene.photo.shape == (height, width, 3)
    assert scene.photo.dtype == np.float32
    assert np.isfinite(scene.photo).all()
    assert scene.photo.min() >= 0
    assert scene.photo.max() <= 1


@pytest.mark.parametrize("seed", [3, 4, 17, 110, 204])
def test_geometry_does_not_depend_on_resolution(seed):
    small, large = make_scene(seed, 64, 64).labels, make_scene(seed, 192, 192).labels
    assert (large[1::3, 1::3] == small).mean() > 0.94


def test_geometry_does_not_depend_on_light():
    views = [make_scene(5, 40, 40, time, weather) for time in TIMES for weather in WEATHERS]
    assert all(np.array_equal(view.labels, views[0].labels) for view in views)
    assert len({view.photo.tobytes() for view in views}) == len(views)
    assert {(view.time, view.weather) for view in views} == {(time, weather) for time in TIMES for weather in WEATHERS}


def test_every_class_appears_and_none_rules(world):
    share = np.mean([np.bincount(scene.labels.ravel(), minlength=12) / scene.labels.size for scene in world], axis=0)
    assert share.min() > 0.002
    assert share[SKY] < 0.45
    assert np.delete(share, SKY).max() < 0.35


def test_scenes_are_varied(world):
    assert len({scene.labels.tobytes() for scene in world}) == len(world)
    assert {compose(scene.seed).kind for scene in world} == {"lake", "river", "coast", "valley", "plain", "highland"}
    assert 0.08 < np.mean([compose(seed).naive for seed in range(200)]) < 0.35


def test_noon_is_brighter_and_bluer_than_dusk():
    noon, dusk = make_scene(4, 48, 48, "noon", "clear"), make_scene(4, 48, 48, "dusk", "clear")
    assert noon.photo.mean() > 1.25 * dusk.photo.mean()
    noon_sky, dusk_sky = (scene.photo[scene.labels == SKY].mean(0) for scene in (noon, dusk))
    assert noon_sky[2] - noon_sky[0] > dusk_sky[2] - dusk_sky[0]


def test_an_overcast_sky_is_greyer():
    def colourfulness(weather):
        scene = make_scene(4, 48, 48, "noon", weather)
        sky = scene.photo[scene.labels == SKY]
        return (sky.max(1) - sky.min(1)).mean()

    assert colourfulness("overcast") < 0.6 * colourfulness("clear")


def test_colour_follows_from_class_and_light():
    """One class in one light has nearly one colour, whatever the scene: what a network must be able to learn."""
    means = []
    for seed in range(30):
        scene = make_scene(seed, 24, 24, "noon", "clear")
        meadow = scene.labels == NAMES.index("grass")
        if meadow.mean() > 0.1:
            means.append(scene.photo[meadow].mean(0))
    assert np.std(means, axis=0).max() < 0.06


def test_water_mirrors_the_sky():
    seed = next(seed for seed in range(200) if compose(seed).kind == "lake")
    noon, dusk = (make_scene(seed, 64, 64, time, "clear") for time in ("noon", "dusk"))
    lake = noon.labels == WATER
    assert noon.photo[lake].mean(0)[2] > 1.2 * noon.photo[lake].mean(0)[0]
    assert dusk.photo[lake].mean(0)[0] > 0.8 * dusk.photo[lake].mean(0)[1]


def test_the_camera_moves_near_things_more_than_far_ones():
    seed = next(s for s in range(300) if compose(s).kind == "lake" and (make_scene(s, 48, 48).labels == MOUNTAIN).any())
    still, moved = (draw(compose(seed), 96, 96, seed, camera) for camera in (0.0, 0.4))
    changed = still.labels != moved.labels
    assert changed.any()
    horizon = int(compose(seed).horizon * 96)
    assert changed[: horizon // 2].mean() < changed[horizon:].mean() + 0.05


def test_frames_follow_each_other_closely():
    frames = list(make_frames(11, 48, 64, 5))
    assert len(frames) == 5
    assert np.array_equal(frames[0].labels, make_scene(11, 48, 64).labels)
    steps = [(a.labels != b.labels).mean() for a, b in pairwise(frames)]
    ends = (frames[0].labels != frames[-1].labels).mean()
    assert 0 < max(steps) < ends


def test_captions_say_what_is_there(world):
    for scene in world:
        share = np.bincount(scene.labels.ravel(), minlength=12) / scene.labels.size
        assert scene.caption[0].islower()
        assert "  " not in scene.caption
        if share[MOUNTAIN] > 0.03:
            assert "mountain" in scene.caption
        if not share[MOUNTAIN]:
            assert "below" not in scene.caption
    assert len({scene.caption for scene in world}) > 30


def test_unknown_light_is_refused_with_a_hint():
    with pytest.raises(OptionError, match="noon"):
        make_scene(1, 8, 8, time="nooon")
    with pytest.raises(OptionError, match="misty"):
        make_scene(1, 8, 8, weather="mist")


def test_colours_are_distinct():
    assert len(set(COLOURS)) == len(NAMES) == 12
