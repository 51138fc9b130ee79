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
from artkit_atelier.abstracts import COMPOSITIONS, make_abstract, mix_palette
from artkit_atelier.gallery import list_paintings, open_gallery
from artkit_atelier.painting import STYLES
from artkit_atelier.studio import make_photograph


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


def test_motifs_come_in_turn_each_in_every_style():
    chosen = options(count=12, motifs=("landscape", "abstract", "photograph"), photos="mine")
    listed = [(one.motif, one.style) for one in list_paintings(chosen)]
    pairs = [(motif, style) for motif in chosen.motifs for style in chosen.styles]
    assert listed == 2 * pairs
    assert len({one.file for one in list_paintings(chosen)}) == 12
    assert {one.photos for one in list_paintings(chosen)} == {"mine"}
    others = list_paintings(options(count=12, motifs=chosen.motifs, photos="yours"))
    shared = {one.file for one in others} & {one.file for one in list_paintings(chosen)}
    assert len(shared) == 8  # a cache tells photographs of two folders apart
    with pytest.raises(OptionError, match="motifs=\\[\\]"):
        list_paintings(options(motifs=()))


def test_a_motif_is_what_is_painted(monkeypatch):
    seen = []
    monkeypatch.setattr("artkit_atelier.painting.paint", lambda photo, *how: seen.append((photo, *how)) or photo)
    for motif in ("abstract", "photograph"):
        painting = list_paintings(options(motifs=(motif,), seed=4))[1]
        pixels = painting.paint()
        photo, labels, style, seed = seen.pop()
        assert (style, seed, photo.shape, labels.shape) == ("mosaic", 5, (16, 24, 3), (16, 24))
        assert np.array_equal(pixels, np.round(photo * 255).astype(np.uint8))
    assert not np.array_equal(*(make_abstract(seed, 16, 24).photo for seed in (5, 6)))


def test_photographs_are_those_of_a_folder(tmp_path):
    blocks = np.zeros((40, 60, 3), np.uint8)
    blocks[:, 30:] = 200
    Image.fromarray(blocks).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no picture")
    levels = [np.unique(make_photograph(seed, 16, 24, str(tmp_path)).photo.mean(2).round(2)) for seed in range(6)]
    assert all(len(one) < 30 for one in levels)  # two greys and what lies between, where details are resized
    for mode, size in (("L", (1, 90)), ("RGBA", (90, 1)), ("I;16", (5, 4))):
        folder = tmp_path / mode.replace(";", "")
        folder.mkdir()
        Image.new(mode, size, 99).save(folder / "a.png")
        assert make_photograph(0, 8, 48, str(folder)).photo.shape == (8, 48, 3)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        make_photograph(0, 16, 24, str(empty))


@pytest.mark.parametrize("compose", COMPOSITIONS, ids=lambda compose: compose.__name__)
def test_a_composition_divides_the_canvas_into_areas(compose):
    y, x = np.mgrid[:48, :64] / 64
    counts = set()
    for seed in range(12):
        areas, again = (compose(np.random.default_rng(seed), (y, x)) for _ in range(2))
        assert areas.shape == (48, 64)
        assert np.array_equal(areas, again)
        counts.add(len(np.unique(areas)))
    assert max(counts) >= 3
    assert len(counts) > 2


def test_an_abstract_is_of_few_colours_and_its_labels_are_its_areas():
    for seed in range(8):
        motif = make_abstract(seed, 48, 64)
        assert motif.photo.shape == (48, 64, 3)
        assert 0 <= motif.photo.min() <= motif.photo.max() <= 1
        for area in np.unique(motif.labels):
            assert np.ptp(motif.photo[motif.labels == area], axis=0).max() < 0.5  # one colour, and a drift of lightness
        assert np.array_equal(motif.photo, make_abstract(seed, 48, 64).photo)


def test_palettes_run_from_dark_to_light():
    for seed in range(20):
        palette = mix_palette(np.random.default_rng(seed))
        assert 4 <= len(palette) < 8
        values = palette.max(1)
        assert np.all(np.diff(values) >= 0)
        assert values[0] < 0.65
        assert values[-1] > 0.8
