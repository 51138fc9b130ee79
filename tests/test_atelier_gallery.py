"""Paintings by style: as many of each, streamed and written alike, apart enough to be classes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.data import make_dataset, open_dataset
from artkit.errors import DataError, OptionError, OutputError
from artkit_atelier import Style, StylesOptions
from artkit_atelier.gallery import list_paintings, open_gallery
from artkit_atelier.painting import STYLES


def options(**changes):
    return StylesOptions(**{"count": 20, "size": (24, 16), "styles": ("ink", "mosaic"), **changes})


def test_the_declared_styles_are_those_there_are():
    assert get_args(Style) == tuple(STYLES)


@pytest.mark.parametrize("styles", [2, 3, 8])
def test_every_split_has_as_many_of_each_style_and_no_landscape_twice(styles):
    chosen = options(count=10 * styles, styles=get_args(Style)[:styles])
    seeds = []
    for split, rounds in (("train", 9), ("val", 1)):
        paintings = list_paintings(chosen, split)
        seeds += [painting.seed for painting in paintings]
        assert [sum(one.style == style for one in paintings) for style in chosen.styles] == [rounds] * styles
    assert sorted(seeds) == list(range(10 * styles))


def test_the_columns_are_those_of_class_folders():
    gallery = open_gallery(options(), "train")
    sample = gallery.load(1, ["image", "class"])
    assert gallery.columns["class"].values == ("ink", "mosaic")
    assert sample["class"] == "mosaic"
    assert sample["image"].shape == (3, 16, 24)
    assert sample["image"].dtype == torch.uint8
    assert gallery.load(1, ["class"]) == {"class": "mosaic"}


def test_the_cache_gives_back_what_was_made(tmp_path):
    plain, cached = open_gallery(options(), "val"), open_gallery(options(cache=str(tmp_path)), "val")
    made = [cached.load(0, ["image"])["image"] for _ in range(2)]
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], plain.load(0, ["image"])["image"])
    assert len(list(tmp_path.iterdir())) == 1


def test_written_and_streamed_paintings_are_the_same(tmp_path):
    given = {"count": 20, "size": (24, 16), "styles": ["ink", "mosaic"]}
    make_dataset("styles", tmp_path, given, jobs=1)
    assert len(list(tmp_path.glob("*/*/*.png"))) == 20
    streamed = open_gallery(options(), "val").load(1, ["image"])["image"]
    file = np.array(Image.open(tmp_path / "val" / "mosaic" / "00019.png"))
    assert np.array_equal(file, streamed.permute(1, 2, 0).numpy())
    with pytest.raises(OutputError, match="not empty"):
        make_dataset("styles", tmp_path, given, jobs=1)


def test_too_few_styles_or_paintings_are_refused():
    with pytest.raises(OptionError, match="two or more"):
        list_paintings(options(styles=("ink", "ink")))
    with pytest.raises(DataError, match="raise count"):
        open_dataset("styles(count=3,size=[16,16])", "val")


def test_ink_has_no_colour_and_fauve_has_most():
    def chroma(style):
        chosen = options(styles=(style, "pastel"), size=(48, 32), seed=3)
        picture = open_gallery(chosen, "train").load(0, ["image"])["image"].float()
        return float((picture.amax(0) - picture.amin(0)).mean())

    assert chroma("ink") < 30 < chroma("impressionist") < chroma("fauve")
