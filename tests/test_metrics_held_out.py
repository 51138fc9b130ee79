"""Chains on held-out data: columns that feed ports beside the first, one picture each or several."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from artkit import Chain, Kind, evaluate
from artkit.data import open_dataset
from artkit.errors import ChainError, DataError
from artkit.metrics import METRICS, rgb_distance
from artkit.metrics.held_out import HeldOut
from cli_kit import open_shell

shell = pytest.fixture(open_shell)
COLOURS = {"a": (10, 20, 30), "b": (200, 100, 0), "c": (0, 90, 250)}


@pytest.fixture
def data(tmp_path):
    """Two held-out samples of three columns, each picture of one colour, the second a little lighter."""
    for column, colour in COLOURS.items():
        for number in range(2):
            path = tmp_path / "data" / "val" / column / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 12), tuple(level + 5 * number for level in colour)).save(path)
    return tmp_path / "data"


def plain(column: str) -> list[torch.Tensor]:
    """The two pictures of a column, as tensors."""
    return [
        (torch.tensor(COLOURS[column], dtype=torch.float32) + 5 * number).view(3, 1, 1).expand(3, 12, 16) / 255
        for number in range(2)
    ]


def test_each_picture_runs_under_a_seed_of_its_own(data, monkeypatch):
    asked = []
    monkeypatch.setattr(HeldOut, "run", lambda self, trial, seed: asked.append(seed) or trial.wanted)
    evaluate(data, "blend(strength=0)", ["rgb_distance"], source="a", target="b", seed=5)
    assert asked == [5, 6]


@pytest.mark.parametrize("column", ["b", "c"])
def test_a_column_feeds_a_port_picture_by_picture(data, column):
    found = evaluate(data, "blend(strength=0)", ["rgb_distance"], source="a", target="b", ports={"other": column})
    assert found.scores["rgb_distance"] == pytest.approx(rgb_distance(plain(column), plain("b")), abs=1e-3)
    assert (found.source, found.target, found.count) == ("a", "b", 2)


def test_several_columns_feed_a_port_that_takes_many(data):
    held_out = HeldOut(
        open_dataset(str(data), "val"), Chain("funit"), source="a", target="c", ports={"style": ("b", "c")}
    )
    for number in range(2):
        trial = held_out.load(number)
        fed = [picture.tensor[0] for picture in trial.fed["style"]]
        for made, column in zip(fed, ("b", "c"), strict=True):
            torch.testing.assert_close(made, plain(column)[number])
    assert len(held_out) == 2


def test_ports_from_the_shell(data, shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "filters")
    chain = ("--chain", "blend(strength=0)", "--source", "a", "--target", "b", "--metrics", "rgb_distance")
    outcome = shell("evaluate", "data", *chain, "-i", "other=b", "--json")
    assert outcome.code == 0, outcome.out
    assert json.loads(outcome.out)["scores"] == {"rgb_distance": 0.0}
    itself = json.loads(shell("evaluate", "data", *chain, "--json").out)["scores"]["rgb_distance"]
    assert itself == pytest.approx(rgb_distance(plain("a"), plain("b")), abs=1e-3)
    outcome = shell("evaluate", "data", *chain, "-i", "other")
    assert (outcome.code, "should read PORT=COLUMN, as in style=partner" in outcome.err) == (2, True)


def test_what_does_not_fit_is_refused(data):
    with pytest.raises(DataError, match="'d'"):
        evaluate(data, "blend", ports={"other": "d"})
    with pytest.raises(ChainError, match="colour"):
        evaluate(data, "blend", ports={"other": "b", "colour": "c"})


def test_a_chain_that_looks_back_is_shown_the_frames_before(tmp_path, monkeypatch):
    for number in range(4):
        path = tmp_path / "val" / "clip" / "frame" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), (50 * number, 0, 0)).save(path)
    held_out = HeldOut(open_dataset(str(tmp_path), "val"), Chain("nextframe"), source="frame", target="next")
    trial, seen = held_out.load(2), []
    assert [round(255 * float(one.tensor[0, 0, 0, 0])) for one in (trial.wanted, trial.given)] == [150, 100]
    assert [round(255 * float(one.tensor[0, 0, 0, 0])) for one in trial.before] == [50, 0]
    monkeypatch.setattr(type(held_out._runner), "run", lambda self, *a, **k: seen.append(k["before"]) or [trial])
    monkeypatch.setattr(type(trial), "picture", None, raising=False)
    held_out.run(trial, 0)
    assert seen == [trial.before]
    itself = HeldOut(open_dataset(str(tmp_path), "val"), Chain("resize(scale=1)"), source="frame", target="next")
    assert itself.load(2).before == []


def test_a_dream_has_the_size_of_what_is_wanted(data):
    held_out = HeldOut(open_dataset(str(data), "val"), Chain("can"), target="b")
    trial = held_out.load(0)
    made = held_out.run(trial, 0)
    assert (trial.given, held_out.source, made.width, made.height) == (None, None, 16, 12)


def test_what_fits_every_picture_is_computed_where_nothing_is_named(data):
    """What some pictures alone have, and what needs words or other packages, is computed by name."""
    found = evaluate(data, "blend(strength=0)", source="a", target="b", load_size=24).scores
    own = [one for one in METRICS if one.kind is Kind.IMAGE]
    special = {one.name for one in own if one.needs or one.facts or one.by_name}
    assert {"off_palette", "style_entropy"} < special
    assert found.keys() & {one.name for one in own} == {one.name for one in own} - special
