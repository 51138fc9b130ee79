"""A|B sheets: recognised by what they show, in any shape, and never mistaken for panoramas, or panoramas for them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artkit.cli import main
from artkit.data import FolderDataset, describe, make_dataset

COLUMNS = ("label", "photo", "painting")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Return eight landscapes, each as pictures by column."""
    folder = tmp_path_factory.mktemp("scenes")
    make_dataset("landscapes", folder, {"count": 8, "size": (128, 96)}, jobs=1)
    places = {column: sorted(folder.glob(f"*/{column}/*.png")) for column in COLUMNS}
    return [
        {column: Image.open(path).convert("RGB") for column, path in zip(places, paths, strict=True)}
        for paths in zip(*places.values(), strict=True)
    ]


def glue(left: Image.Image, right: Image.Image, size: tuple[int, int]) -> Image.Image:
    sheet = Image.new("RGB", (2 * size[0], size[1]))
    sheet.paste(left.resize(size), (0, 0))
    sheet.paste(right.resize(size), (size[0], 0))
    return sheet


def write(folder, pictures, suffix="jpg"):
    folder.mkdir(parents=True)
    for index, picture in enumerate(pictures):
        picture.save(folder / f"{index}.{suffix}")
    return folder


def columns(folder):
    return list(FolderDataset(folder).columns)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("size", [(96, 96), (128, 96), (72, 96), (60, 120)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("sides", [("label", "photo"), ("painting", "label"), ("photo", "painting")])
def test_sheets_of_any_shape_are_seen(tmp_path, scenes, sides, size, suffix):
    sheets = [glue(*(scene[side] for side in sides), size) for scene in scenes]
    assert columns(write(tmp_path / "data", sheets, suffix)) == ["A", "B"]


def test_sketches_on_white_beside_things_on_white_are_seen(tmp_path):
    """No seam is there: white meets white. What tells is that lines are where the thing's borders are."""
    sheets = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        y, x = np.mgrid[:64, :64]
        place, radii = random.uniform(24, 40, 2), random.uniform(8, 16, 2)
        inside = ((x - place[0]) / radii[0]) ** 2 + ((y - place[1]) / radii[1]) ** 2
        sketch, thing = np.full((2, 64, 64), 255, np.uint8)
        sketch[abs(inside - 1) < 0.2] = 0
        thing[inside < 1] = random.integers(40, 160)
        sheets.append(Image.fromarray(np.concatenate([sketch, thing], 1)))
    assert columns(write(tmp_path / "data", sheets)) == ["A", "B"]


@pytest.mark.parametrize("size", [(192, 96), (256, 96), (144, 96), (96, 96)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("side", COLUMNS)
def test_pictures_are_no_sheets_however_wide(tmp_path, scenes, side, size):
    folder = write(tmp_path / "data", [scene[side].resize(size) for scene in scenes])
    assert columns(folder) == ["image"]


def test_a_few_odd_files_change_nothing(tmp_path, scenes):
    sheets = [glue(scene["label"], scene["photo"], (96, 96)) for scene in scenes]
    flat = Image.new("RGB", (192, 96), "grey")
    assert columns(write(tmp_path / "sheets", [*sheets[:-1], flat])) == ["A", "B"]
    folder = write(tmp_path / "mixed", [*sheets[:2], *(scene["photo"] for scene in scenes)])
    assert columns(folder) == ["image"]
    (tmp_path / "sheets" / "3.jpg").write_bytes(b"damage")
    assert columns(tmp_path / "sheets") == ["A", "B"]


def test_what_looks_like_none_can_be_called_one(tmp_path, scenes, capsys):
    wide = [scene["photo"].resize((192, 96)) for scene in scenes]
    assert any("call their folder AB" in words for words in describe(write(tmp_path / "data", wide))["advice"])
    assert main(["data", "check", str(tmp_path / "data")]) == 0
    assert "Worth knowing:\n  pictures are twice as wide as high" in capsys.readouterr().out
    (tmp_path / "data").rename(tmp_path / "AB")
    (tmp_path / "data").mkdir()
    (tmp_path / "AB").rename(tmp_path / "data" / "AB")
    assert columns(tmp_path / "data") == ["A", "B"]


def test_what_looks_like_one_can_be_called_none(tmp_path, scenes):
    sheets = [glue(scene["label"], scene["photo"], (96, 96)) for scene in scenes]
    write(tmp_path / "data" / "image", sheets)
    assert columns(tmp_path / "data") == ["image"]
