"""The studies that come as examples."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path

import msgspec
import pytest

from artkit.studies import data, read_study
from artkit.studies.protocol import find_fault
from cli_kit import open_shell

ROOT = Path(__file__).parents[1]


every_study = pytest.mark.parametrize(
    "place",
    sorted((ROOT / "examples" / "studies").glob("*/*.toml")),
    ids=lambda place: f"{place.parent.name}/{place.stem}",
)


@every_study
def test_the_examples_are_sound_at_every_size(place):
    found = read_study(place)
    for size in (None, *found.sizes):
        assert find_fault(found.resized(size)) is None
    assert found.seeds >= 5
    large = found.resized("large")
    if any(arm.trained for arm in found.arms.values()):
        assert found.resized("tiny").values["steps"] == 2
        assert large.values["steps"] > found.values["steps"]
    assert msgspec.convert(msgspec.to_builtins(large), type(large)) == large


def test_sizes_change_what_they_name():
    small = read_study(ROOT / "examples" / "studies" / "noise")
    large = small.resized("large")
    assert large.data["train"].options == {**small.data["train"].options, "count": 2000, "size": [256, 256]}
    assert large.scores[0].limit == 100
    assert large.arms == small.arms


@every_study
def test_the_examples_run(place, tmp_path, monkeypatch, capsys):
    """Each trains every arm for two steps and is scored: many seconds, as that is what studies do."""
    found = read_study(place)
    if found.on not in found.data:
        pytest.skip(f"it is made of pictures of a reader's own, {found.on}")
    shell = open_shell(tmp_path, monkeypatch, capsys)
    monkeypatch.delenv("ARTKIT_PLUGINS")
    monkeypatch.setattr(data, "make_dataset", partial(data.make_dataset, jobs=1))  # few pictures: no processes
    outcome = shell("study", place, "-o", "out", "--size", "tiny", "--seeds", 1)
    assert outcome.code == 0, outcome.err
    assert len(outcome.lines()) == len(found.questions) + 1
    assert (tmp_path / "out" / "pictures.png").is_file()
    for one in json.loads((tmp_path / "out" / "scores.json").read_text()):
        assert one["scores"].keys() == {metric for scoring in found.scores for metric in scoring.metrics}
        assert all(map(math.isfinite, one["scores"].values()))
