"""The studies that come as examples."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from artkit.studies import read_study
from artkit.studies.protocol import find_fault

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "place",
    sorted((ROOT / "examples" / "studies").glob("*/*.toml")),
    ids=lambda place: f"{place.parent.name}/{place.stem}",
)
def test_the_examples_are_sound_at_every_size(place):
    found = read_study(place)
    for size in (None, *found.sizes):
        assert find_fault(found.resized(size)) is None
    assert found.seeds >= 5
    assert found.resized("tiny").values["steps"] == 2
    large = found.resized("large")
    assert large.values["steps"] > found.values["steps"]
    assert msgspec.convert(msgspec.to_builtins(large), type(large)) == large


def test_sizes_change_what_they_name():
    small = read_study(ROOT / "examples" / "studies" / "noise")
    large = small.resized("large")
    assert large.data["train"].options == {**small.data["train"].options, "count": 2000, "size": [256, 256]}
    assert large.scores[0].limit == 100
    assert large.arms == small.arms
