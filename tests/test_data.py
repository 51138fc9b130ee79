"""Folders as datasets, and batches as a function of seed and step."""

from __future__ import annotations

import threading
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.data import Batches, Column, Dataset, FolderDataset
from artkit.errors import DataError
from artkit.spec import Kind

CLASSES = "0 sky 0 0 255\n1 grass 0 255 0\n"


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def noise(seed, height=24, width=32):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def pairs(tmp_path):
    """Ten pairs whose picture is blue or green exactly where its label map says so."""
    for index in range(10):
        labels = np.random.default_rng(index).integers(0, 2, (24, 32), dtype=np.uint8)
        picture = np.stack([0 * labels, 255 * labels, 255 * (1 - labels)], -1).astype(np.uint8)
        split = "val" if index >= 8 else "train"
        save(tmp_path / split / "label" / f"{index}.png", labels)
        save(tmp_path / split / "photo" / f"{index}.png", picture)
    (tmp_path / "classes.txt").write_text(CLASSES)
    return tmp_path


def test_folders_of_columns(pairs):
    data = FolderDataset(pairs, "train")
    assert len(data) == 8
    assert {name: column.kind for name, column in data.columns.items()} == {"label": Kind.LABELS, "photo": Kind.IMAGE}
    sample = data.load(0, ["label", "photo"])
    assert torch.equal(sample["photo"][1], sample["label"] * 255)
    assert len(FolderDataset(pairs, "val")) == 2


def test_off_palette_labels_become_the_nearest_class(pairs):
    save(pairs / "train" / "label" / "0.png", np.full((24, 32, 3), (10, 20, 240), np.uint8))
    assert FolderDataset(pairs, "train").load(0, ["label"])["label"].unique().tolist() == [0]


def test_sheets_are_cut_in_two(tmp_path):
    sheet = noise(0, 8, 20)
    save(tmp_path / "train" / "1_AB.png", sheet)
    sample = FolderDataset(tmp_path, "train").load(0, ["A", "B"])
    assert np.array_equal(torch.cat([sample["A"], sample["B"]], -1).permute(1, 2, 0).numpy(), sheet)


def test_splits_by_content_stay_when_files_are_added_or_renamed(tmp_path):
    for index in range(60):
        save(tmp_path / "photo" / f"{index}.png", noise(index, 4, 4))
    train, val = (set(FolderDataset(tmp_path, split).stems) for split in ("train", "val"))
    assert train.isdisjoint(val)
    assert train | val == {str(index) for index in range(60)}
    for index in range(60, 90):
        save(tmp_path / "photo" / f"{index}.png", noise(index, 4, 4))
    assert train <= set(FolderDataset(tmp_path, "train").stems)
    for path in list((tmp_path / "photo").iterdir()):
        path.rename(path.with_name(f"renamed_{path.name}"))
    assert {f"renamed_{key}" for key in val} <= set(FolderDataset(tmp_path, "val").stems)


def test_copies_of_a_picture_are_in_one_split(tmp_path):
    for index in range(40):
        save(tmp_path / "photo" / f"{index}.png", noise(index % 20, 4, 4))
    for split in ("train", "val"):
        keys = set(FolderDataset(tmp_path, split).stems)
        assert keys == {str((int(key) + 20) % 40) for key in keys}


def test_one_picture_is_enough(tmp_path):
    for index in range(30):  # one in ten would be held out
        save(tmp_path / str(index) / "photo" / "1.png", noise(index, 4, 4))
        assert len(FolderDataset(tmp_path / str(index), "train")) == 1


def test_transparent_pixels_are_laid_on_white(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2, :, 3] = 255
    save(tmp_path / "photo" / "1.png", pixels)
    image = FolderDataset(tmp_path).load(0, ["photo"])["photo"]
    assert image[:, :2].unique().tolist() == [0]
    assert image[:, 2:].unique().tolist() == [255]


def test_captions_become_columns(pairs):
    rows = "".join(f"{index}.png\ttrain\t{'dusk' if index % 2 else 'noon'}\n" for index in range(8))
    (pairs / "captions.tsv").write_text("file\tsplit\ttime\n" + rows)
    data = FolderDataset(pairs, "train")
    assert data.column("time").values == ("dusk", "noon")
    assert data.load(1, ["time"]) == {"time": "dusk"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "holds no pictures"),
        (lambda path: save(path / "train" / "a" / "1.png", noise(1)), "no split 'val': it has train"),
        (lambda path: [save(path / "A" / "1.png", noise(1)), (path / "B").mkdir()], "B holds no pictures"),
    ],
)
def test_folders_that_hold_no_dataset(tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(DataError, match=words):
        FolderDataset(tmp_path, "val")


def test_an_unreadable_file_is_named(pairs):
    (pairs / "train" / "photo" / "0.png").write_text("no picture")
    with pytest.raises(DataError, match=r"0\.png"):
        FolderDataset(pairs, "train").load(0, ["photo"])


def test_unknown_columns_name_the_nearest(pairs):
    with pytest.raises(DataError, match="photo"):
        FolderDataset(pairs, "train").column("foto")


def batches(pairs, **changes):
    settings = {"size": 3, "crop": 16, "seed": 4, "mirror": True} | changes
    return Batches(FolderDataset(pairs, "train"), ["label", "photo"], **settings)


def test_columns_of_a_sample_are_cropped_and_flipped_together(pairs):
    drawn = batches(pairs)
    for step in range(6):
        batch = drawn.at(step)
        assert batch["photo"].shape == (3, 3, 16, 16)
        assert torch.equal(batch["photo"][:, 1], batch["label"].float())


def test_batches_depend_on_seed_and_step_alone(pairs):
    first, second = batches(pairs), batches(pairs)
    list(second.stream(0, 3))
    assert torch.equal(first.at(5)["photo"], second.at(5)["photo"])
    assert not torch.equal(first.at(5)["photo"], batches(pairs, seed=5).at(5)["photo"])


def test_the_stream_is_the_batches_in_order(pairs):
    drawn = batches(pairs)
    for step, batch in enumerate(drawn.stream(2, 6), start=2):
        assert torch.equal(batch["photo"], drawn.at(step)["photo"])


def test_an_epoch_shows_every_sample_once(pairs):
    drawn = batches(pairs, size=4, crop=None, mirror=False)
    seen = torch.cat([drawn.at(step)["label"] for step in range(2)])
    assert len({tuple(labels.flatten().tolist()) for labels in seen}) == 8


def test_small_pictures_grow_to_the_crop(pairs):
    assert batches(pairs, crop=40).at(0)["photo"].shape == (3, 3, 40, 40)


def test_a_stream_that_is_closed_has_no_thread_left_and_makes_no_more_pictures(pairs, monkeypatch):
    drawn, loaded, before = batches(pairs, size=3), [], set(threading.enumerate())
    whole = drawn._sample

    def load(domain, index):
        loaded.append(index)
        if len(loaded) == 5:
            reached.set()
            closing.wait()
        return whole(domain, index)

    reached, closing = threading.Event(), threading.Event()
    monkeypatch.setattr(drawn, "_sample", load)
    stream = drawn.stream(0, 100)
    next(stream)
    reached.wait()  # in the midst of the second batch
    (thread,) = set(threading.enumerate()) - before
    is_set = threading.Event.set
    monkeypatch.setattr(threading.Event, "set", lambda self: (is_set(self), is_set(closing)))
    stream.close()
    assert not thread.is_alive()
    assert len(loaded) == 5


def test_errors_reach_whoever_reads_the_stream(pairs):
    for path in (pairs / "train" / "photo").iterdir():
        path.write_text("no picture")
    with pytest.raises(DataError):
        list(batches(pairs).stream(0, 2))


class Domains(Dataset):
    """Two unpaired domains of flat pictures whose grey level is their number; B's are larger."""

    name, unpaired = "domains", True
    columns: ClassVar = {"A": Column("A", Kind.IMAGE), "B": Column("B", Kind.IMAGE)}

    def __len__(self):
        return 7

    def count(self, name):
        return {"A": 7, "B": 3}[name]

    def load(self, index, names):
        (name,) = names
        side = {"A": 20, "B": 24 + 4 * index}[name]
        return {name: torch.full((3, side, side), index, dtype=torch.uint8)}


def test_unpaired_domains_are_drawn_in_orders_of_their_own():
    batches = Batches(Domains(), ["A", "B"], size=1, crop=16, seed=5)
    drawn = [batches.at(step) for step in range(21)]
    numbers = {name: [round(float(batch[name][0, 0, 0, 0]) * 255) for batch in drawn] for name in "AB"}
    for name, count in (("A", 7), ("B", 3)):
        epochs = [sorted(numbers[name][first : first + count]) for first in range(0, 21, count)]
        assert epochs == [list(range(count))] * (21 // count)


def test_paired_columns_can_be_drawn_unpaired(tmp_path):
    for index in range(8):
        for column in ("A", "B"):
            save(tmp_path / "train" / column / f"{index}.png", np.full((8, 8, 3), index, np.uint8))
    dataset = FolderDataset(tmp_path, "train")
    for unpaired in (False, True):
        batch = Batches(dataset, ["A", "B"], size=8, crop=8, seed=0, unpaired=unpaired).at(0)
        assert torch.equal(batch["A"], batch["B"]) is not unpaired


def test_whole_pictures_of_several_sizes_are_cut_to_their_middle():
    batch = Batches(Domains(), ["A", "B"], size=3, crop=None, seed=0).at(0)
    assert batch["A"].shape == (3, 3, 20, 20)
    assert batch["B"].shape == (3, 3, 24, 24)


def test_jitter_varies_the_colours_of_the_input_alone(tmp_path):
    for index in range(4):
        for column in ("A", "B"):
            save(tmp_path / "train" / column / f"{index}.png", noise(index, 8, 8))
    dataset = FolderDataset(tmp_path, "train")
    plain, varied = (Batches(dataset, ["A", "B"], size=4, crop=8, seed=3, jitter=jitter).at(0) for jitter in (0.0, 0.3))
    assert torch.equal(plain["A"], plain["B"])
    assert torch.equal(varied["B"], plain["B"])
    assert not torch.equal(varied["A"], plain["A"])
    domains = Batches(dataset, ["A", "B"], size=4, crop=8, seed=3, jitter=0.3, unpaired=True)
    assert not torch.equal(
        domains.at(0)["B"], Batches(dataset, ["A", "B"], size=4, crop=8, seed=3, unpaired=True).at(0)["B"]
    )


def test_half_of_the_crops_lie_around_what_is_in_focus(tmp_path):
    """A speck of ten pixels in each of four maps of 96 px, and in none of one more; crops of 16 px."""
    spots = [(3, 3), (50, 90), (93, 40), (40, 40)]
    for index in range(5):
        labels = np.zeros((96, 96), dtype=np.uint8)
        for y, x in spots[index : index + 1]:
            labels[y - 2 : y + 3, x : x + 2] = 2
        (tmp_path / "train" / "label").mkdir(parents=True, exist_ok=True)
        Image.fromarray(labels, "L").save(tmp_path / "train" / "label" / f"{index}.png")
        save(tmp_path / "train" / "photo" / f"{index}.png", np.stack([labels * 100] * 3, -1))
    (tmp_path / "classes.txt").write_text("0 sky 0 0 255\n1 sea 0 0 99\n2 house 255 0 0\n3 hut 200 0 0\n")
    dataset = FolderDataset(tmp_path, "train")

    def seen(*focus):
        batches = Batches(dataset, ["label", "photo"], size=500, crop=16, seed=3, focus=focus).at(0)
        assert torch.equal((batches["photo"][:, 0] > 0.5), batches["label"] == 2)
        return batches["label"] == 2

    def share(*focus):
        return seen(*focus).flatten(1).any(1).float().mean()

    assert share() == share("hut") == share("sea") < 0.08
    assert 0.4 < share("hut", "house") < 0.5  # half of four pictures in five, and chance
    _, rows, columns = seen("house").nonzero().T
    assert 6 < rows.float().mean() < 10
    assert 6 < columns.float().mean() < 10
    assert len(set(rows.tolist())) > 10


def test_a_columns_values_become_pictures(pairs):
    data = FolderDataset(pairs, "train")
    sample = data.load(0, ["label", "photo"])
    label, photo = (data.column(name).picture(sample[name]) for name in ("label", "photo"))
    assert (label.kind, label.classes, label.tensor.dtype) == (Kind.LABELS, data.classes, torch.int64)
    assert torch.equal(label.tensor[0], sample["label"].long())
    assert (photo.kind, photo.classes) == (Kind.IMAGE, None)
    assert np.array_equal(photo.numpy(), sample["photo"].permute(1, 2, 0).numpy())
