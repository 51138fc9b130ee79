"""Pairs made of plain pictures by a chain, on either side, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artkit.data import FolderDataset
from artkit.data.needs import find_source_and_target
from artkit.images import read_provenance
from cli_kit import open_shell, pixels_of

shell = pytest.fixture(open_shell)


@pytest.fixture
def photos(shell):
    """Thirty pictures, some in a subfolder."""
    for index in range(30):
        shell.paint(f"photos/{'more/' if index % 3 == 0 else ''}{index}.png", 10 + 5 * index)
    return Path("photos")


def written():
    return sorted(path for path in Path("pairs").rglob("*.png"))


def test_pairs_are_what_pix2pix_takes_as_it_is(shell, photos):
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--from", "invert")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("pairs: 30 pairs made.")
    splits = {split: FolderDataset(Path("pairs"), split) for split in ("train", "val")}
    assert sum(map(len, splits.values())) == 30
    assert len(splits["val"]) > 0
    source, target = find_source_and_target(splits["train"])
    assert (source.name, target.name) == ("input", "target")
    sample = splits["train"].load(0, ["input", "target"])
    assert int((sample["input"].int() + sample["target"].int() - 255).abs().max()) == 0


def test_what_is_there_is_kept(shell, photos):
    shell("data", "pairs", photos, "-o", "pairs", "--from", "invert")
    first, *others = [path for path in written() if "input" in path.parts]
    first.unlink()
    times = {path: path.stat().st_mtime_ns for path in others}
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--from", "invert", "--json")
    assert json.loads(outcome.out) == {"output": "pairs", "chain": "invert", "made": 1, "kept": 29, "failures": []}
    assert first.exists()
    assert times == {path: path.stat().st_mtime_ns for path in others}


def test_the_pairs_of_two_chains_are_not_mixed(shell, photos):
    shell("data", "pairs", photos, "-o", "pairs", "--from", "invert")
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--from", "fade")
    assert outcome.code == 1
    assert "was made by invert, not by fade: give another folder" in outcome.err


def test_a_bad_picture_stops_only_itself(shell, photos):
    (photos / "0.png").write_text("no picture")
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--from", "invert")
    assert outcome.code == 1
    assert "photos/0.png" in outcome.err
    assert len(written()) == 60


def test_output_inside_the_folder_is_not_read_again(shell, photos):
    for _ in range(2):
        outcome = shell("data", "pairs", photos, "-o", "photos/pairs", "--from", "invert", "--json")
    assert json.loads(outcome.out)["kept"] == 30


def test_splits_stay(shell):
    for split in ("train", "test"):
        shell.paint(f"photos/{split}/1.png")
    shell("data", "pairs", "photos", "-o", "pairs", "--from", "fade")
    names = {str(path) for path in written()}
    assert names == {f"pairs/{split}/{side}/1.png" for split in ("train", "test") for side in ("input", "target")}


def test_a_target_is_copied_as_it_is(shell):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
    Path("photos/train").mkdir(parents=True)
    Image.fromarray(pixels).save("photos/train/1.jpg")
    shell("data", "pairs", "photos", "-o", "pairs", "--from", "invert")
    assert Path("pairs/train/target/1.jpg").read_bytes() == Path("photos/train/1.jpg").read_bytes()
    assert np.array_equal(pixels_of("pairs/train/input/1.png"), 255 - pixels_of("photos/train/1.jpg"))


def test_no_pictures(shell):
    Path("photos").mkdir()
    outcome = shell("data", "pairs", "photos", "-o", "pairs", "--from", "invert")
    assert outcome.err == "artkit: photos holds no pictures that artkit reads.\n"
    assert not Path("pairs").exists()


# -- the target side ---------------------------------------------------------------------------------------


def test_a_chain_makes_the_target_side_too(shell, photos):
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--to", "invert")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("pairs: 30 pairs made.")
    source, target = find_source_and_target(FolderDataset(Path("pairs"), "train"))
    assert (source.name, target.name) == ("input", "target")
    made = next(path for path in written() if "target" in path.parts)
    plain = Path(str(made).replace("target", "input"))
    assert np.array_equal(pixels_of(made), 255 - pixels_of(plain))
    assert read_provenance(made)["chain"] == "invert"
    assert plain.read_bytes() == next(photos.rglob(plain.name)).read_bytes()


def test_targets_that_are_there_are_kept_and_what_is_missing_is_made(shell, photos):
    shell("data", "pairs", photos, "-o", "pairs", "--to", "invert")
    half, gone, *others = [path for path in written() if "target" in path.parts]
    Path(str(half).replace("target", "input")).unlink()
    gone.unlink()
    times = {path: path.stat().st_mtime_ns for path in others}
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--to", "invert", "--json")
    assert json.loads(outcome.out) == {"output": "pairs", "chain": "invert", "made": 2, "kept": 28, "failures": []}
    assert len(written()) == 60
    assert times == {path: path.stat().st_mtime_ns for path in others}


@pytest.mark.parametrize(("first", "second"), [("--from", "--to"), ("--to", "--from")])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_the_two_sides_are_not_mixed(shell, first, second, suffix):
    shell.paint(f"photos/1.{suffix}")
    assert shell("data", "pairs", "photos", "-o", "pairs", first, "invert").code == 0
    before = shell.files()
    outcome = shell("data", "pairs", "photos", "-o", "pairs", second, "invert")
    assert outcome.code == 1
    assert "was made by something else, not by invert: give another folder" in outcome.err
    assert shell.files() == before


@pytest.mark.parametrize("sides", [(), ("--from", "invert", "--to", "invert")])
def test_one_side_is_made_and_only_one(shell, photos, sides):
    outcome = shell("data", "pairs", photos, "-o", "pairs", *sides)
    assert outcome.code == 2
    assert "--from CHAIN the input, or --to CHAIN the target" in outcome.err


def test_label_maps_are_no_target(shell, photos, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "filters")
    outcome = shell("data", "pairs", photos, "-o", "pairs", "--to", "quantise")
    assert outcome.code == 1
    assert "quantise makes label maps, and those are inputs: write --from instead of --to" in outcome.err
    assert not Path("pairs").exists()


def test_the_picture_takes_the_size_of_its_target(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "filters")
    shell.paint("photos/train/1.png", size=(20, 12))
    outcome = shell("data", "pairs", "photos", "-o", "pairs", "--to", "resize(width=40)")
    assert outcome.code == 0, outcome.err
    assert pixels_of("pairs/train/input/1.png").shape == pixels_of("pairs/train/target/1.png").shape == (24, 40, 3)
