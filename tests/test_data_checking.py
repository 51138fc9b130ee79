"""What `artkit data check` says of a folder: every fault, every method that can train on it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from artkit.data import describe
from artkit.data.checking import MAX_LISTED
from artkit.data.inspecting import find_near_duplicates, inspect_picture
from artkit.errors import DataError
from cli_kit import open_shell

shell = pytest.fixture(open_shell)
CLASSES = "0 sky 0 0 255\n1 grass 0 255 0\n"


def save(path, pixels, **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path, **settings)


def noise(seed, height=24, width=32):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def pairs(tmp_path):
    """Ten pairs of label map and photo, two of them held out."""
    for index in range(10):
        split = "val" if index >= 8 else "train"
        save(tmp_path / split / "label" / f"{index}.png", noise(index)[:, :, 0] % 2)
        save(tmp_path / split / "photo" / f"{index}.png", noise(index))
    (tmp_path / "classes.txt").write_text(CLASSES)
    return tmp_path


def test_nothing_is_wrong_with_good_data(pairs):
    found = describe(pairs)
    assert found["problems"] == []
    assert found["samples"] == {"train": 8, "val": 2}
    assert found["columns"] == {"label": "labels, 2 classes", "photo": "image"}
    assert found["sizes"] == {"32x24": 20}
    trainable = {method["method"]: method for method in found["methods"]}
    assert trainable["pix2pix"]["command"] == f"artkit train pix2pix {pairs} -o runs/pix2pix"
    assert trainable["pix2pix"]["learns"] == "label -> photo"
    assert "semgan" in trainable


def test_every_fault_is_named(pairs):
    (pairs / "train" / "photo" / "0.png").write_text("no picture")
    (pairs / "train" / "label" / "1.png").unlink()
    data = (pairs / "train" / "photo" / "2.png").read_bytes()
    (pairs / "train" / "photo" / "2.png").write_bytes(data[: len(data) // 2])
    save(pairs / "train" / "photo" / "3.png", noise(3)[:, :, 0])
    save(pairs / "train" / "label" / "4.png", np.where(noise(4)[:, :, 0] < 128, 7, 1).astype(np.uint8))
    save(pairs / "train" / "label" / "5.png", np.full((24, 32, 3), (0, 0, 250), np.uint8))
    save(pairs / "val" / "photo" / "8.png", noise(1, 10, 10))
    save(pairs / "val" / "photo" / "9.png", noise(6))
    told = "\n".join(describe(pairs)["problems"])
    assert "photo/0.png holds text, not a picture" in told
    assert "1 has no partner in label (train)" in told
    assert "photo/2.png is damaged" in told
    assert "photo (train): 1 of 6 are grey among colour: 3.png" in told
    assert "label (train): 1 of 7 hold classes that classes.txt does not have (7;" in told
    assert "label (train): 1 of 7 hold colours of no class (14.3% of all pixels, at most 5.png 100.0%)" in told
    assert "8: its pictures differ in size: label 32x24, photo 10x10" in told
    assert "val/photo/9.png (val) is nearly the same as train/photo/6.png (train)" in told


def test_long_lists_are_cut(tmp_path):
    for index in range(60):
        save(tmp_path / "A" / f"{index}.png", noise(index, 4, 4))
        if index > 28:
            save(tmp_path / "B" / f"{index}.png", noise(index, 4, 4))
    problems = describe(tmp_path)["problems"]
    assert len(problems) == MAX_LISTED + 1
    assert problems[-1] == "... and 9 more without partners"


@pytest.mark.parametrize(
    ("image", "family"),
    [
        (Image.new("L", (9, 9)), "grey"),
        (Image.new("RGBA", (9, 9)), "transparent"),
        (Image.new("P", (9, 9)), "colour"),
        (Image.fromarray(np.zeros((9, 9), np.uint16)), "16 bit"),
    ],
)
def test_families_of_pixels(tmp_path, image, family):
    image.save(tmp_path / "1.png")
    found = inspect_picture(tmp_path / "1.png")
    assert (found.size, found.family, found.thumbnail.shape) == ((9, 9), family, (16, 17))


def test_unpaired_domains(tmp_path):
    for index in range(3):
        save(tmp_path / "trainA" / f"a{index}.jpg", noise(index, 16, 16))
    save(tmp_path / "trainB" / "b.png", noise(7, 20, 30))
    found = describe(tmp_path)
    assert found["problems"] == []
    assert found["layout"] == "two unpaired domains"
    assert found["samples"] == {"train": {"A": 3, "B": 1}}
    assert "pix2pix" not in [method["method"] for method in found["methods"]]
    assert found["unmet"]["pix2pix"].startswith("pairs: ")


def test_an_empty_domain(tmp_path):
    save(tmp_path / "trainA" / "a.jpg", noise(0))
    (tmp_path / "trainB").mkdir()
    with pytest.raises(DataError, match="trainB holds no pictures"):
        describe(tmp_path)


def test_captions_without_pictures_and_pictures_without_captions(tmp_path):
    for index in range(4):
        save(tmp_path / "train" / "image" / f"{index}.png", noise(index, 16, 16))
    (tmp_path / "captions.csv").write_text("file,text\n0.png,a\n1.png,b\n2.png,c\n9.png,d\n")
    assert describe(tmp_path)["problems"] == [
        "9 has a row of captions and no picture",
        "3 has no row of captions (train)",
    ]


def test_class_indices_without_a_class_file(pairs):
    (pairs / "classes.txt").unlink()
    told = describe(pairs)["problems"]
    assert any("label (train): these look like class indices" in line for line in told)


def test_near_duplicates_survive_jpeg_and_scaling():
    def thumbnail(image):
        return np.asarray(image.convert("L").resize((17, 16), Image.Resampling.BOX))

    smooth = [Image.fromarray(noise(seed, 6, 8)).resize((256, 192), Image.Resampling.BICUBIC) for seed in range(30)]
    known = [thumbnail(image) for image in smooth]
    changed = [thumbnail(smooth[3].resize((100, 75))), thumbnail(Image.fromarray(np.asarray(smooth[5]) // 2 + 60))]
    flat = np.full((16, 17), 9, np.uint8)
    assert list(find_near_duplicates([*changed, flat], [*known, flat])) == [(0, 3)]
    assert list(find_near_duplicates([], known)) == []


def test_check_on_the_command_line(shell, pairs):
    outcome = shell("data", "check", pairs)
    assert outcome.code == 0, outcome.err
    assert "layout   one folder a column, partners by name" in outcome.out
    assert "samples  train 8, val 2" in outcome.out
    (pairs / "val" / "photo" / "9.png").unlink()
    outcome = shell("data", "check", pairs)
    assert outcome.code == 1
    assert "Wrong:\n  9 has no partner in photo (val)" in outcome.out
    assert json.loads(shell("data", "check", pairs, "--json").out)["problems"] == ["9 has no partner in photo (val)"]
    assert shell("data", "check", "nowhere").err == "artkit: nowhere is no folder: give a folder of pictures.\n"


def test_frames_and_the_next_ones_are_no_two_domains(tmp_path):
    for number in range(3):
        path = tmp_path / "clip" / "frame" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number, 0, 0)).save(path)
    assert "cyclegan" not in {method["method"] for method in describe(tmp_path)["methods"]}
