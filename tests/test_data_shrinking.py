"""`load`: pictures at the size they are trained at, partners alike, label maps by the nearest pixel."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image
from torch.nn import functional as F

from artkit.data import Batches, FolderDataset, describe
from artkit.data.batches import advise_load, fit_size, resize_sample
from artkit.errors import UsageError
from artkit.images import read_picture
from artkit.training import train
from artkit.training.report import NullReporter


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def photos(tmp_path):
    """Pairs of a JPEG and its label map, dark and light, of odd sizes."""
    (tmp_path / "classes.txt").write_text("0 dark 0 0 0\n1 light 255 255 255\n")
    for index, (height, width) in enumerate([(301, 403), (403, 301), (500, 300)]):
        pixels = smooth(height, width, index)
        for column, suffix, content in (
            ("label", "png", (pixels[..., 0] > 127).astype(np.uint8)),
            ("photo", "jpg", pixels),
        ):
            path = tmp_path / "train" / column / f"{index}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(path, quality=95)
    return tmp_path


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_the_shortest_side_is_as_asked_and_the_shape_stays(height, width, side):
    new = fit_size(height, width, side)
    assert min(new) == side
    assert abs(max(new) - side * max(height, width) / min(height, width)) <= 0.5


@pytest.mark.parametrize("side", [40, 64, 350])
def test_partners_agree_at_every_pixel(photos, side):
    dataset = FolderDataset(photos, "train", at_least=2 * side)
    drawn = Batches(dataset, ["label", "photo"], size=1, crop=32, seed=1, mirror=True, load=side)
    for step in range(6):
        batch = drawn.at(step)
        assert batch["label"].unique().tolist() in ([0], [1], [0, 1])
        light = (batch["photo"][:, 0] > 0.5).long()
        assert (light == batch["label"]).float().mean() > 0.97  # all but some pixels of borders


def test_pictures_are_averaged_and_labels_are_not():
    picture = torch.tensor(smooth(80, 120)).permute(2, 0, 1)
    labels = torch.randint(0, 7, (80, 120), dtype=torch.uint8)
    small = resize_sample({"photo": picture, "label": labels, "caption": "words"}, 40)
    assert small["caption"] == "words"
    assert torch.equal(small["label"], labels[1::2, 1::2])
    averaged = F.avg_pool2d(picture[None].float(), 2)[0]
    assert (small["photo"].float() - averaged).abs().max() <= 2


def test_a_draft_is_a_likeness_of_the_picture(photos):
    path = photos / "train" / "photo" / "0.jpg"
    whole, draft = read_picture(path), read_picture(path, at_least=40)
    assert draft.size == (76, 101)  # a quarter of 301 x 403
    ours, theirs = (
        resize_sample({"photo": (picture.tensor[0] * 255).round().byte()}, 20)["photo"].float()
        for picture in (draft, whole)
    )
    assert (ours - theirs).abs().mean() < 2


@pytest.mark.parametrize(("orientation", "size"), [(1, (100, 200)), (6, (200, 100))])
def test_a_draft_is_upright_and_never_too_small(orientation, size):
    stream, exif = BytesIO(), Image.Exif()
    exif[274] = orientation
    Image.fromarray(smooth(800, 1600)).save(stream, "JPEG", exif=exif)
    assert read_picture(stream, at_least=100).size == size
    assert min(read_picture(stream, at_least=101).size) == 200


def test_only_jpegs_have_drafts(photos):
    assert read_picture(photos / "train" / "label" / "0.png", at_least=20).size == (301, 403)


def test_training_loads_at_the_size_asked_for(photos, tmp_path):
    values = {
        "network": "resnet_6",
        "width": 4,
        "widths": (4,),
        "receptive_field": 16,
        "steps": 1,
        "crop": 32,
        "load_size": 40,
    }
    train("pix2pix", str(photos), tmp_path / "run", values=values)
    with Image.open(tmp_path / "run" / "samples" / "000001.png") as sheet:
        assert sheet.height < 3 * 70  # three rows of whole pictures, 40 px on their shortest side
    with pytest.raises(UsageError, match="load_size=16 leaves less"):
        train("pix2pix", str(photos), tmp_path / "small", values=values | {"load_size": 16})
    train("pix2pix", str(photos), tmp_path / "all", values=values | {"load_size": 32})


def test_a_class_in_focus_is_one_that_is_learned_from(photos, tmp_path):
    values = {"steps": 1, "crop": 32, "network": "resnet_6", "width": 4}
    told = r"^focus=\[house\]: no label map that is learned from has it\. Known: dark, light\.$"
    with pytest.raises(UsageError, match=told):
        train("pix2pix", str(photos), tmp_path / "run", values=values | {"focus": ["house"]})
    with pytest.raises(UsageError, match=r"focus=\[hause\]: .* Did you mean 'house'\?"):
        train(
            "pix2pix",
            "landscapes(count=10,size=[32,32])",
            tmp_path / "run",
            values=values | {"focus": ["sky", "hause"]},
        )


def test_large_pictures_are_noticed(photos, tmp_path):
    assert advise_load([(4000, 3000)] * 5, 256).startswith("pictures are 3000 px on their shortest side and crops 256")
    assert "load_size=286" in advise_load([(4000, 3000)] * 5, 256)
    assert not advise_load([(1000, 1500), (1023, 2000), (9000, 4000)], 256)
    assert not advise_load([], 256)
    assert describe(photos)["advice"] == []
    notes: list[str] = []

    class Notes(NullReporter):
        def note(self, text: str) -> None:
            notes.append(text)

    values = {"network": "resnet_6", "width": 4, "widths": (4,), "receptive_field": 16, "steps": 1, "crop": 32}
    train("pix2pix", str(photos), tmp_path / "run", values=values, reporter=Notes())
    assert any("load_size=36" in note for note in notes)
