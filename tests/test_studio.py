"""The studio: unpaired photos and paintings, the same for the same seed, of other motifs in every domain."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from artkit import OptionError
from artkit.data import open_dataset
from artkit_atelier import StudioOptions
from artkit_atelier.studio import Studio, make_motif, turn_colours

OPTIONS = StudioOptions(count=20, side=32, styles=("impressionist", "watercolour"))


def test_it_is_unpaired_with_a_column_for_each_style():
    studio = open_dataset("studio(count=20,side=32,styles=['impressionist','watercolour'])")
    assert studio.unpaired
    assert list(studio.columns) == ["photo", "impressionist", "watercolour"]
    assert [studio.count(name) for name in studio.columns] == [18, 18, 18]
    assert len(open_dataset("studio(count=20,side=32)", "val")) == 2


def test_the_same_place_holds_the_same_picture_and_no_two_domains_the_same_motif():
    one, two = Studio(OPTIONS, "train"), Studio(OPTIONS, "train")
    for name in one.columns:
        picture = one.load(3, [name])[name]
        assert picture.dtype == torch.uint8
        assert picture.shape == (3, 32, 32)
        assert torch.equal(picture, two.load(3, [name])[name])
    photos = {one.load(index, ["photo"])["photo"].sum().item() for index in range(6)}
    assert len(photos) == 6


def test_the_cache_gives_what_was_made(tmp_path):
    options = StudioOptions(count=2, side=32, cache=str(tmp_path / "cache"))
    made = Studio(options, "train").load(0, ["swirl"])["swirl"]
    [file] = (tmp_path / "cache").iterdir()
    stamp = file.stat().st_mtime_ns
    assert torch.equal(Studio(options, "train").load(0, ["swirl"])["swirl"], made)
    assert file.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("seed", range(6))
def test_motifs_have_pixels_in_range_and_borders_for_strokes(seed):
    motif = make_motif(seed, 24)
    assert motif.photo.shape == (24, 24, 3)
    assert motif.labels.shape == (24, 24)
    assert motif.photo.min() >= 0
    assert motif.photo.max() <= 1
    assert motif.photo.dtype == np.float32


def test_turning_colours_keeps_what_is_lighter_lighter():
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 16, dtype=np.float32)[None, :, None].repeat(3, 2)
    for _ in range(5):
        turned = turn_colours(ramp, random)[0].mean(-1)
        assert (np.diff(turned) >= 0).all()


def test_an_unknown_style_is_named():
    with pytest.raises(OptionError, match="cubist"):
        open_dataset("studio(styles=['cubist'])")
