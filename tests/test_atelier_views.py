"""Landscapes in several lights and styles: the same scene again, its words, and a partner scene in the same look."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from artkit.data import FolderDataset
from artkit.errors import OptionError
from artkit_atelier import LandscapesOptions
from artkit_atelier.dataset import write_landscapes
from artkit_atelier.scenes import make_scene, own_light
from artkit_atelier.streaming import Landscapes
from artkit_atelier.views import find_content, find_partner, find_view, list_looks, paint_scene

LOOKS = LandscapesOptions(
    count=24, seed=40, size=(24, 16), styles=("photo", "ink", "swirl"), lights="any", looks=2, partner=True
)
NAMES = ["label", "painting", "partner", "time", "weather", "style", "seed"]


def test_a_scene_comes_in_several_looks_and_stays_in_one_split():
    train, val = (Landscapes(LOOKS, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (22, 2)
    first, second = train.load(0, NAMES), train.load(1, NAMES)
    assert first["seed"] == second["seed"] == "40"
    assert np.array_equal(first["label"], second["label"])
    words = ("time", "weather", "style")
    assert [first[word] for word in words] != [second[word] for word in words]
    assert not np.array_equal(first["painting"], second["painting"])
    assert {val.load(index, ["seed"])["seed"] for index in (0, 1)} == {"49"}


def test_a_picture_is_in_the_look_that_its_words_say():
    stream = Landscapes(LOOKS)
    for index in range(4):
        sample = stream.load(index, NAMES)
        scene = make_scene(int(sample["seed"]), 16, 24, sample["time"], sample["weather"])
        expected = paint_scene(scene, sample["style"])
        assert np.array_equal(sample["painting"].permute(1, 2, 0), expected)
        if sample["style"] == "photo":
            assert np.abs(expected / 255 - scene.photo).max() <= 0.5 / 255 + 1e-6


def test_a_partner_is_another_scene_in_the_same_look():
    seeds = set()
    for index in range(4):
        view = find_view(LOOKS, index)
        partner = find_partner(view, index)
        assert (partner.time, partner.weather, partner.style) == (view.time, view.weather, view.style)
        seeds |= {view.seed, partner.seed}
        scene = make_scene(partner.seed, 16, 24, view.time, view.weather)
        stored = Landscapes(LOOKS).load(index, ["partner"])["partner"].permute(1, 2, 0)
        assert np.array_equal(stored, paint_scene(scene, view.style))
    assert len(seeds) == 6  # two scenes, each twice, and four partners


def test_any_light_and_style_comes_as_often():
    options = LandscapesOptions(count=2400, styles=("photo", "ink", "swirl"), lights="any", looks=3)
    views = [find_view(options, index) for index in range(options.count)]
    for values, kinds in (("time", 4), ("weather", 4), ("style", 3)):
        counts = Counter(getattr(view, values) for view in views)
        assert len(counts) == kinds
        assert max(counts.values()) < 1.25 * min(counts.values())
    own = [find_view(LandscapesOptions(count=2400), index) for index in range(9)]
    assert [(view.time, view.weather) for view in own] == [own_light(seed) for seed in range(9)]


def test_looks_are_written_as_they_are_streamed(tmp_path):
    write_landscapes(tmp_path / "written", LOOKS, 1, lambda: None)
    folder, stream = FolderDataset(tmp_path / "written", "train"), Landscapes(LOOKS)
    assert set(folder.columns) == set(stream.columns)
    assert set(folder.column("style").values) == set(stream.column("style").values) == {"photo", "ink", "swirl"}
    for index in (0, 5):
        ours, theirs = folder.load(index, NAMES), stream.load(index, NAMES)
        for name in NAMES:
            assert np.array_equal(ours[name], theirs[name]), name
    with Image.open(tmp_path / "written" / "train" / "partner" / "00003.png") as image:
        assert image.size == (24, 16)


def test_a_cache_tells_looks_apart(tmp_path):
    options = LandscapesOptions(
        count=4,
        seed=40,
        size=(24, 16),
        styles=("photo", "ink"),
        lights="any",
        looks=4,
        partner=True,
        cache=str(tmp_path),
    )
    for _ in range(2):
        cached, fresh = Landscapes(options), Landscapes(LandscapesOptions(
            count=4, seed=40, size=(24, 16), styles=("photo", "ink"), lights="any", looks=4, partner=True
        ))  # fmt: skip
        for index in range(4):
            ours, theirs = (data.load(index, [*NAMES, "photo"]) for data in (cached, fresh))
            assert all(np.array_equal(ours[name], theirs[name]) for name in [*NAMES, "photo"])


def test_plain_landscapes_have_neither_column():
    plain = Landscapes(LandscapesOptions(count=2, size=(16, 16)))
    assert not {"style", "partner"} & set(plain.columns)
    with pytest.raises(OptionError, match="watercolour"):
        Landscapes(LandscapesOptions(styles=("photo", "watercolor")))


HELD = replace(LOOKS, count=400, looks=1, held_out=10, content=True)


def test_looks_that_are_held_out_are_validations_alone():
    shown = {"train": set(), "val": set()}
    for index in range(HELD.count):
        view = find_view(HELD, index)
        shown["val" if index % 10 == 9 else "train"].add((view.time, view.weather, view.style))
    assert (len(shown["train"]), len(shown["val"])) == (48 - 10, 10)
    assert not shown["train"] & shown["val"]
    sample = Landscapes(HELD, "val").load(0, NAMES)
    assert (sample["time"], sample["weather"], sample["style"]) in shown["val"]
    assert (
        shown["val"]
        == set(list_looks(replace(HELD, seed=7), "val"))
        < set(list_looks(replace(HELD, held_out=40), "val"))
    )
    turned = replace(HELD, styles=HELD.styles[::-1])
    assert list_looks(turned, "val") == list_looks(HELD, "val")
    assert list_looks(LOOKS, "val") == list_looks(LOOKS, "train")


def test_which_looks_are_held_out_was_drawn_once_for_all():
    """What a model has not seen must not be another set tomorrow."""
    assert list_looks(replace(HELD, held_out=3), "val") == [
        ("dusk", "misty", "ink"),
        ("dusk", "misty", "swirl"),
        ("noon", "overcast", "ink"),
    ]
    most = replace(HELD, count=20, held_out=47)
    assert len(list_looks(most, "train")) == 1
    assert len(Landscapes(most, "val")) == 2


def test_what_stands_at_an_index_was_drawn_once_for_all():
    """Data sets are known by their options: the same views, partners and contents stand at an index tomorrow."""
    views = [find_view(LOOKS, index) for index in (0, 1)]
    assert [(view.time, view.weather, view.style) for view in views] == [
        ("noon", "clear", "photo"),
        ("dusk", "overcast", "photo"),
    ]
    assert [find_partner(view, index).seed for index, view in enumerate(views)] == [4168130293, 3367677908]
    contents = [find_content(LOOKS, view, index) for index, view in enumerate(views)]
    assert [(content.time, content.weather) for content in contents] == [("noon", "overcast"), ("noon", "overcast")]


def test_partners_are_none_of_the_scenes_that_are_asked_for():
    assert all(find_partner(find_view(LOOKS, index), index).seed >= 2**31 for index in range(24))


def test_all_scenes_may_have_the_light_of_one_hour():
    options = LandscapesOptions(count=12, seed=40, size=(24, 16), lights="dusk", content=True)
    stream, others = Landscapes(options), set()
    for place, index in enumerate(stream.indices):
        sample, view = stream.load(place, ["photo", "content", "time", "weather"]), find_view(options, index)
        assert (sample["time"], sample["weather"]) == ("dusk", "clear")
        scene = make_scene(view.seed, 16, 24, "dusk", "clear", drawn=view.drawn)
        assert np.array_equal(sample["photo"].permute(1, 2, 0), paint_scene(scene, "photo"))
        other = find_content(options, view, index)
        assert np.array_equal(sample["content"].permute(1, 2, 0), paint_scene(other.make(), "photo"))
        others.add((other.time, other.weather))
    assert len(others) > 6


def test_content_is_the_scenes_photo_in_a_light_of_training():
    lights = {look[:2] for look in list_looks(HELD, "train") if look[2] == "photo"}
    assert len(lights) < 16
    found = set()
    for index in range(HELD.count):
        view = find_view(HELD, index)
        content = find_content(HELD, view, index)
        assert (content.seed, content.style, content.size) == (view.seed, "photo", view.size)
        found.add((content.time, content.weather))
    assert found == lights
    sample, content = Landscapes(HELD).load(3, ["content", "label"]), find_content(HELD, find_view(HELD, 3), 3)
    scene = make_scene(content.seed, 16, 24, content.time, content.weather)
    assert np.array_equal(sample["content"].permute(1, 2, 0), paint_scene(scene, "photo"))
    assert np.array_equal(sample["label"], scene.labels)
    painted = replace(HELD, styles=("ink",), held_out=0)
    assert (
        len({(c.time, c.weather) for c in (find_content(painted, find_view(painted, i), i) for i in range(300))}) == 16
    )


def test_content_is_written_as_it_is_streamed(tmp_path):
    options = replace(HELD, count=3, partner=False)
    write_landscapes(tmp_path / "written", options, 1, lambda: None)
    folder, stream = FolderDataset(tmp_path / "written", "train"), Landscapes(options)
    assert set(folder.columns) == set(stream.columns)
    assert np.array_equal(folder.load(1, ["content"])["content"], stream.load(1, ["content"])["content"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"held_out": 48}, "held_out=48.*47 at most"), ({"lights": "own"}, "give lights=any, too")],
)
def test_looks_that_cannot_be_held_out_are_told(changes, message):
    with pytest.raises(OptionError, match=message):
        Landscapes(replace(HELD, **changes))
