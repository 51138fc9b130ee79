"""Layouts of folders, each recognised by its looks, from names alone where names are enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.data import FolderDataset, Place, Table
from artkit.data.layouts import find_splits, find_tables
from artkit.data.layouts.clips import find_clips
from artkit.data.layouts.columns import find_columns
from artkit.errors import DataError
from artkit.plugins import PluginSource, current_registry, load_registry, use_registry
from artkit.spec import DatasetSpec, Kind


def place(*names, empty=()):
    return Place({name: Path(name) for name in sorted(names)}, {name: Path(name) for name in empty})


def save(path, array=None, seed=0, size=(8, 12)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8) if array is None else array
    Image.fromarray(pixels).save(path)


@pytest.fixture
def make(tmp_path):
    """Return a function that writes noise under the names given and opens the folder's training split."""

    def write(*names, split="train", size=(8, 12)):
        for seed, name in enumerate(names):
            save(tmp_path / name, seed=seed, size=size)
        return FolderDataset(tmp_path, split)

    return write


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train/A/1.png", "val/A/2.png"], {"train": ["A/1.png"], "val": ["A/2.png"]}),
        (["Training/1.png", "valid/2.png"], {"train": ["1.png"], "val": ["2.png"]}),
        (["trainA/1.png", "trainB/2.png", "testA/3.png"], {"train": ["A/1.png", "B/2.png"], "test": ["A/3.png"]}),
        (["train_A/1.png", "train_label/1.png"], {"train": ["A/1.png", "label/1.png"]}),
        (["A/train/1.png", "B/train/1.png"], {"train": ["A/1.png", "B/1.png"]}),
        (["leftImg8bit/val/aachen/1.png"], {"val": ["leftImg8bit/aachen/1.png"]}),
        (["A/1.png", "trains/2.png"], {}),
        (["train/frame/0.png", "dog/frame/0.png", "cow/frame/0.png"], {}),
    ],
)
def test_splits_are_found_in_names(names, splits):
    assert {split: list(found.pictures) for split, found in find_splits(place(*names)).items()} == splits


@pytest.mark.parametrize(
    ("names", "unpaired", "columns"),
    [
        (["A/1.jpg", "A/2.jpg", "B/1.png", "B/2.png"], False, {"A", "B"}),
        (["A/1_A.jpg", "B/1_B.jpg"], False, {"A", "B"}),
        (["A/x.jpg", "A/y.jpg", "B/z.jpg"], True, {"A", "B"}),
        (["A/1.jpg", "A/2.jpg", "A/3.jpg", "B/1.jpg", "B/7.jpg", "B/8.jpg"], True, {"A", "B"}),
        (["photos/a.jpg", "monet/b.jpg"], True, {"photos", "monet"}),
        (["label/1.png", "photo/1.png", "inst/1.png"], False, {"label", "photo"}),
        (["faces/1.jpg"], False, {"faces"}),
    ],
)
def test_columns_are_pairs_or_domains(names, unpaired, columns):
    table = find_columns(place(*names))
    assert table.unpaired is unpaired
    assert set(table.columns) == columns


@pytest.mark.parametrize(
    "names",
    [
        ["baroque/1.jpg", "cubism/1.jpg", "realism/1.jpg"],  # numbers are not names
        ["cats/a.jpg", "dogs/b.jpg", "owls/c.jpg"],
        ["all/Greek/a/1.png", "all/Latin/b/1.png"],
    ],
)
def test_class_folders_are_no_columns(names):
    assert find_columns(place(*names)) is None


def test_clips_pair_each_frame_with_the_next():
    names = [f"{clip}/{column}/{n}.png" for clip in ("dog", "cow") for column in ("frame", "mask") for n in range(3)]
    table = find_clips(place(*names))
    assert list(table.columns) == ["frame", "next", "before", "before2", "mask"]
    assert table.columns["next"] == {
        f"{clip}/{n}": Path(f"{clip}/frame/{n + 1}.png") for clip in ("cow", "dog") for n in (0, 1)
    }
    assert table.columns["before"]["dog/0"] == table.columns["before2"]["dog/1"] == Path("dog/frame/0.png")
    assert table.columns["before"]["dog/1"] == Path("dog/frame/0.png")
    assert set(table.columns["mask"]) == set(table.columns["before2"]) == set(table.columns["next"])
    assert table.groups["dog/1"] == "dog"


def test_cyclegan_folders(make):
    data = make("trainA/a.jpg", "trainA/b.jpg", "trainB/c.jpg", "testA/d.jpg", "testB/e.jpg")
    assert data.unpaired
    assert (len(data), data.count("A"), data.count("B")) == (2, 2, 1)
    assert data.load(1, ["A"])["A"].shape == (3, 8, 12)
    assert len(FolderDataset(data.directory, "val")) == 1  # its test pictures


def test_an_empty_domain_is_named(make, tmp_path):
    (tmp_path / "trainB").mkdir()
    with pytest.raises(DataError, match="trainB holds no pictures"):
        make("trainA/a.jpg")


def test_class_folders_give_a_text_column(make):
    styles = ("0_baroque", "1_cubism", "2_realism")
    data = make(*(f"{split}/{style}/{n}.png" for split in ("train", "test") for style in styles for n in (3, 4)))
    assert data.column("class").values == styles
    assert [data.load(index, ["class"])["class"] for index in range(6)] == [style for style in styles for _ in "34"]
    assert data.column("image").kind is Kind.IMAGE


@pytest.mark.parametrize("name", ["train/{}_AB.png", "train/AB/{}.png", "AB/train/{}.png"])
def test_sheets_are_told_by_their_names(make, name):
    sheets = make(name.format(1), name.format(2), size=(8, 16))
    assert list(sheets.columns) == ["A", "B"]
    assert sheets.table.layout == "A|B sheets"
    assert sheets.load(0, ["B"])["B"].shape == (3, 8, 8)


def test_plain_pictures_are_one_column(make):
    assert list(make("1.png", "2.png", "3.png").columns) == ["image"]


def test_endings_tell_partners_apart(make):
    data = make("train/Monet.png", "train/Monet_sem.png", "train/Gogh.png", "train/Gogh_sem.png", "train/Coast_sem.png")
    assert data.stems == ["Gogh", "Monet"]
    assert list(data.columns) == ["sem", "image"]
    assert data.unmatched == {"Coast": ["image"]}


def test_cityscapes(tmp_path):
    for city, split in (("aachen", "train"), ("ulm", "val")):
        save(tmp_path / f"leftImg8bit/{split}/{city}/{city}_0_1_leftImg8bit.png")
        save(tmp_path / f"gtFine/{split}/{city}/{city}_0_1_gtFine_labelIds.png", np.full((8, 12), 26, np.uint8))
        save(tmp_path / f"gtFine/{split}/{city}/{city}_0_1_gtFine_instanceIds.png", np.zeros((8, 12), np.uint8))
    data = FolderDataset(tmp_path, "val")
    assert data.stems == ["ulm_0_1"]
    assert data.column("label").classes.names[26] == "car"
    assert data.load(0, ["label"])["label"].unique().tolist() == [26]


def test_black_and_white_masks_are_labels(tmp_path):
    for index in range(3):
        save(tmp_path / f"train/dog/frame/{index}.png", seed=index)
        mask = np.arange(96).reshape(8, 12) % 2 == index % 2
        save(tmp_path / f"train/dog/mask/{index}.png", mask)
    data = FolderDataset(tmp_path)
    assert data.column("mask").classes.names == ("background", "object")
    assert data.load(1, ["mask"])["mask"].flatten()[:3].tolist() == [0, 1, 0]
    assert torch.equal(data.load(0, ["next"])["next"], data.load(1, ["frame"])["frame"])


def test_clips_stay_together_when_split_by_content(tmp_path):
    for clip in range(40):
        for number in range(3):
            save(tmp_path / f"c{clip:02}" / "frame" / f"{number}.png", seed=3 * clip + number)
    clips = [{key.split("/")[0] for key in FolderDataset(tmp_path, split).stems} for split in ("train", "val")]
    assert clips[1]
    assert clips[0].isdisjoint(clips[1])


def test_two_files_of_one_name(make):
    data = make("train/photo/1.png", "train/photo/1.jpg", "train/photo/2.png")
    assert data.stems == ["1", "2"]
    assert "1.png is left out" in data.table.left_out[0]


def test_splits_must_have_the_same_columns(make):
    with pytest.raises(DataError, match="train has label, photo; val has photo"):
        make("train/label/1.png", "train/photo/1.png", "val/photo/1.png")


def test_hidden_files_are_passed_over(make):
    assert make("1.png", "._1.png", ".thumbs/1.png", "__MACOSX/1.png").stems == ["1"]


def find_pages(place):
    """A layout of a plugin: scanned pages, each beside its transcript's picture."""
    pages = {name: path for name, path in place.pictures.items() if name.startswith("page")}
    return Table("scanned pages", {"page": pages}) if pages else None


def test_a_plugin_adds_a_layout(tmp_path):
    from artkit import hookimpl

    class Plugin:
        @hookimpl
        def register_datasets(self):
            return [DatasetSpec("pages", "Scanned pages.", layout=f"{__name__}:find_pages")]

    save(tmp_path / "page1.png")
    before = current_registry()
    known = load_registry()
    known.add(PluginSource("pages", Plugin))
    try:
        use_registry(known)
        tables, _ = find_tables(tmp_path)
        assert tables[""].layout == "scanned pages"
    finally:
        use_registry(before)
