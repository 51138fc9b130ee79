"""Label maps of many makers, class sets without a class file, tables of captions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artkit.data import FolderDataset, open_dataset
from artkit.data.labels import load_labels, read_palette
from artkit.errors import DataError
from artkit.images import read_classes_file
from artkit.spec import ClassSet, Kind, LabelClass

CLASSES = ClassSet("two", (LabelClass("sky", (0, 0, 255)), LabelClass("grass", (0, 255, 0))))
WITH_VOID = ClassSet("three", (*CLASSES.classes, LabelClass("Unlabelled", (9, 9, 9))))
INDICES = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)


def load(path, image, classes=CLASSES):
    image.save(path)
    return load_labels(path, classes).numpy()


def test_indices_in_grey(tmp_path):
    assert np.array_equal(load(tmp_path / "1.png", Image.fromarray(INDICES)), INDICES)


def test_class_colours(tmp_path):
    colours = np.array(CLASSES.colours, np.uint8)[INDICES]
    assert np.array_equal(load(tmp_path / "1.png", Image.fromarray(colours)), INDICES)


def test_a_palette_in_another_order_is_read_by_its_colours(tmp_path):
    image = Image.fromarray(INDICES + 5)
    image.putpalette([0] * 15 + [0, 0, 255, 0, 255, 0])
    assert np.array_equal(load(tmp_path / "1.png", image), INDICES)


def test_instance_ids_lose_their_numbers(tmp_path):
    ids = np.array([[0, 1007, 1], [1001, 0, 0]], np.uint16)
    assert np.array_equal(load(tmp_path / "1.png", Image.fromarray(ids)), INDICES)


def test_other_indices_become_void(tmp_path):
    strange = INDICES.copy()
    strange[0, 0] = 255
    assert load(tmp_path / "1.png", Image.fromarray(strange), WITH_VOID)[0, 0] == 2
    with pytest.raises(DataError, match=r"1\.png holds the class 255, and there are only classes 0 to 1"):
        load_labels(tmp_path / "1.png", CLASSES)


def test_a_palette_picture_gives_the_classes(tmp_path):
    pixels = np.array([[[9, 9, 9], [0, 0, 255]], [[0, 255, 0], [9, 9, 9]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "palette.png")
    assert read_palette(tmp_path / "palette.png").colours == ((9, 9, 9), (0, 0, 255), (0, 255, 0))
    for folder in ("train/labels", "train/photo"):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / folder / "1.png")
    data = FolderDataset(tmp_path)
    assert data.column("labels").kind is Kind.LABELS
    assert data.load(0, ["labels"])["labels"].tolist() == [[0, 1], [2, 0]]


def test_classes_without_colours_get_some(tmp_path):
    (tmp_path / "classes.txt").write_text("".join(f"{index} name{index}\n" for index in range(256)))
    assert len(set(read_classes_file(tmp_path / "classes.txt").colours)) == 256


@pytest.fixture
def captioned(tmp_path):
    """Six pictures in one folder; each test writes a table beside it."""
    (tmp_path / "png").mkdir()
    for index in range(6):
        Image.fromarray(np.full((4, 4, 3), index, np.uint8)).save(tmp_path / "png" / f"{index}.png")
    return tmp_path


def rows(folder, split="train"):
    data = FolderDataset(folder, split)
    return {key: data.load(index, ["text"])["text"] for index, key in enumerate(data.stems)}, data


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("captions.tsv", "file\ttext", "{}.png\tnumber {}"),
        ("metadata.csv", "file_name,text", "png/{}.png,number {}"),
        ("list.csv", "text,filename", '"number {1}",{0}.png'),
    ],
)
def test_captions_of_several_makers(captioned, name, header, row):
    (captioned / name).write_text("\n".join([header, *(row.format(index, index) for index in range(6))]))
    found, data = rows(captioned)
    assert found
    assert all(words == f"number {key}" for key, words in found.items())
    assert data.captions_without_picture == data.uncaptioned == []


def test_captions_of_missing_pictures_are_told_and_left_out(captioned, capsys):
    lines = [f"{index}.png,{index}" for index in (0, 1, 2, 3, 4, 77)]
    (captioned / "captions.csv").write_text("\n".join(["file,text", *lines]))
    data = open_dataset(captioned)
    assert data.captions_without_picture == ["77"]
    assert data.uncaptioned in (["5"], [])
    (told,) = capsys.readouterr().err.splitlines()
    assert "1 rows of its captions name pictures that are not there (77" in told


@pytest.mark.parametrize("name", ["/", ".", "..", "//", "\\\\", "a/..", "\0"])
def test_captions_that_name_no_file_are_told_and_left_out(captioned, capsys, name):
    lines = [f"{index}.png,number {index}" for index in range(6)] + [f"{name},x"]
    (captioned / "captions.csv").write_text("\n".join(["file,text", *lines]))
    data = FolderDataset(captioned)
    assert len(data.captions_without_picture) == 1
    assert data.load(0, ["text"])["text"].startswith("number ")


def test_captions_that_may_not_be_read_are_told(captioned, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    (captioned / "captions.csv").write_text("file,text\n1.png,x\n")
    monkeypatch.setattr("artkit.data.captions.open_regular", refuse)
    with pytest.raises(DataError, match=r"Cannot read the captions .*captions\.csv: Permission denied"):
        FolderDataset(captioned)


def test_a_table_without_file_names_is_no_caption_file(captioned):
    (captioned / "log.csv").write_text("step,loss\n1,2\n")
    assert list(FolderDataset(captioned).columns) == ["png"]


def test_a_table_that_is_no_text(captioned):
    (captioned / "captions.csv").write_bytes(b"\xff\xfe\x00file")
    with pytest.raises(DataError, match=r"captions\.csv is no table"):
        FolderDataset(captioned)
