"""Landscapes as data: the written dataset and the streamed one show the same scenes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artkit.data import FolderDataset
from artkit.errors import OptionError, OutputError
from artkit.images import read_classes_file
from artkit.spec import parse_options
from artkit_atelier import LandscapesOptions
from artkit_atelier.classes import COLOURS, NAMES
from artkit_atelier.dataset import write_landscapes
from artkit_atelier.layout import compose
from artkit_atelier.scenes import make_scene
from artkit_atelier.streaming import Landscapes, open_landscapes

EXAMPLES = Path(__file__).parents[1] / "examples"


def write(directory, count, jobs=1):
    options = LandscapesOptions(count=count, seed=40, size=(24, 16))
    write_landscapes(directory, options, jobs, lambda: None)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("landscapes")
    write(directory, 11)
    return directory


def test_layout_and_split(written):
    for kind in ("label", "photo", "painting"):
        assert sorted(path.name for path in (written / "val" / kind).iterdir()) == ["00009.png"]
        assert len(list((written / "train" / kind).iterdir())) == 10
    assert not list(written.rglob("*.part"))


def test_labels_are_palette_pictures_of_indices(written):
    scene = make_scene(43, 16, 24)
    with Image.open(written / "train" / "label" / "00003.png") as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), scene.labels)
        assert np.array_equal(np.asarray(image.convert("RGB")), np.array(COLOURS, np.uint8)[scene.labels])
    with Image.open(written / "train" / "photo" / "00003.png") as image:
        assert np.abs(np.asarray(image) / 255 - scene.photo).max() <= 0.5 / 255 + 1e-6


def test_classes_file_reads_back(written):
    classes = read_classes_file(written / "classes.txt")
    assert classes.names == NAMES
    assert classes.colours == COLOURS


def test_captions_name_every_file(written):
    with (written / "captions.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["seed"] for row in rows] == [str(40 + index) for index in range(11)]
    assert all((written / row["split"] / "label" / row["file"]).exists() for row in rows)
    assert rows[3]["caption"] == make_scene(43, 16, 24).caption


def test_a_dataset_is_never_overwritten(written):
    with pytest.raises(OutputError, match="already holds a dataset"):
        write(written, 1)


def test_wrong_wishes_are_refused():
    with pytest.raises(OptionError, match="impressionist"):
        Landscapes(LandscapesOptions(style="impresionist"))
    with pytest.raises(OptionError, match="count"):
        parse_options(LandscapesOptions, {"count": 0}, "landscapes")


def test_processes_write_the_same_files(written, tmp_path):
    write(tmp_path / "two", 2, jobs=2)
    for path in (tmp_path / "two" / "train").rglob("*.png"):
        assert path.read_bytes() == (written / "train" / path.relative_to(tmp_path / "two" / "train")).read_bytes()


def test_streamed_samples_equal_written_ones(written, tmp_path):
    streams = [
        Landscapes(LandscapesOptions(count=11, seed=40, size=(24, 16), cache=cache))
        for cache in (None, str(tmp_path / "cache"))
    ]
    names = ["label", "photo", "painting", "caption", "time", "weather"]
    for stream in (*streams, streams[1]):
        sample = stream.load(3, names)
        for name in ("label", "photo", "painting"):
            with Image.open(written / "train" / name / "00003.png") as image:
                stored = np.asarray(image)
            assert np.array_equal(sample[name].numpy(), stored if name == "label" else stored.transpose(2, 0, 1))
        assert sample["caption"] == make_scene(43, 16, 24).caption
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_splits_share_nothing_and_miss_nothing():
    train, val = (Landscapes(LandscapesOptions(count=25, seed=3), split) for split in ("train", "val"))
    assert len(train) == 23
    seeds = [data.load(index, ["seed"])["seed"] for data in (train, val) for index in range(len(data))]
    assert sorted(map(int, seeds)) == list(range(3, 28))


def test_only_what_is_asked_for_is_made(tmp_path):
    stream = Landscapes(LandscapesOptions(count=1, size=(16, 16), cache=str(tmp_path)))
    assert set(stream.load(0, ["label"])) == {"label"}
    assert [path.name for path in tmp_path.iterdir()] == ["0-16x16-0.2.npz"]


def test_sizes_are_mixed_and_all_may_be_drawn_by_hand(tmp_path):
    options = LandscapesOptions(count=4, seed=40, size=(24, 16), sides=(24, 48, 36), drawn=1)
    write_landscapes(tmp_path, options, 1, lambda: None)
    stream, sizes = Landscapes(options), [(16, 24), (32, 48), (24, 36), (16, 24)]
    for index, size in enumerate(sizes):
        labels = stream.load(index, ["label"])["label"].numpy()
        assert labels.shape == size
        assert np.array_equal(labels, make_scene(40 + index, *size, drawn=1).labels)
        with Image.open(tmp_path / "train" / "label" / f"{index:05d}.png") as image:
            assert np.array_equal(np.asarray(image), labels)
    assert all(compose(seed, 1.0).naive and not compose(seed, 0.0).naive for seed in range(9))


def test_a_cache_tells_shares_of_drawn_scenes_apart(tmp_path):
    for drawn in (0, 1, 0):
        options = LandscapesOptions(count=1, seed=3, size=(16, 16), drawn=drawn, cache=str(tmp_path))
        labels = Landscapes(options).load(0, ["label"])["label"].numpy()
        assert np.array_equal(labels, make_scene(3, 16, 16, drawn=drawn).labels)


def test_the_example_map_has_palette_colours_only():
    with Image.open(EXAMPLES / "semantic.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
        assert image.size == (512, 384)
    used = {tuple(int(level) for level in colour) for colour in np.unique(pixels, axis=0)}
    assert used == set(COLOURS)
    with Image.open(EXAMPLES / "semantic_damaged.jpg") as image:
        damaged = np.asarray(image).reshape(-1, 3)
    exact = (damaged[:, None] == np.array(COLOURS)).all(-1).any(-1).mean()
    assert exact < 0.5


def test_frames_become_clips(tmp_path):
    write_landscapes(tmp_path, LandscapesOptions(count=10, seed=40, size=(24, 16), frames=3), 1, lambda: None)
    data = FolderDataset(tmp_path, "val")
    assert data.stems == ["00009/00000", "00009/00001"]
    sample = data.load(0, ["frame", "next", "label"])
    last = make_scene(49, 16, 24, camera=0.5)
    assert np.abs(sample["next"].permute(1, 2, 0).numpy() / 255 - last.photo).max() <= 0.5 / 255 + 1e-6
    assert data.column("label").classes.names == NAMES
    with pytest.raises(OptionError, match="data make"):
        open_landscapes(LandscapesOptions(frames=3), "train")
