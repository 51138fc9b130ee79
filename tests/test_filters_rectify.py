"""Rectify: sheets are found in photos, cut out in their proportions, and photos without one stay as they are."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, read_picture
from artkit.chain import plan_chain
from artkit.engine import Runner
from artkit.plugins import current_registry
from artkit_filters.rectify import FOCAL, sheet_size
from artkit_filters.sheet import find_plain_margin, find_sheet
from benchmarks.camera import Camera, photograph

ROOT = Path(__file__).parents[1]
CALM = Camera(light=1, cast=0, noise=2, quality=95)


def drawing(height=60, width=80, seed=0):
    """A print in flat colours, none of them a table's."""
    colours = np.array([(110, 170, 220), (140, 190, 80), (180, 80, 60), (40, 95, 50)], np.uint8)
    places = np.random.default_rng(seed).integers(4, size=(height // 10, width // 10))
    return colours[places].repeat(10, 0).repeat(10, 1)


def likeness(picture, wanted):
    """The mean distance, in levels, of a picture to the print it shows, at the print's size."""
    shown = Image.fromarray(picture.numpy()).resize(wanted.shape[1::-1], Image.Resampling.BOX)
    return np.abs(np.asarray(shown).astype(int) - wanted).mean()


@pytest.mark.parametrize("seed", range(5))
def test_corners_are_found_to_a_pixel_in_failing_light(seed):
    photo, corners = photograph(drawing(seed=seed), Camera(), seed)
    found = find_sheet(photo / np.float32(255))
    assert np.abs(found - corners).max() < 1.5


def test_a_shadow_across_sheet_and_table_is_no_side():
    photo, corners = photograph(drawing(), Camera(shadow=0.4), 3)
    assert np.abs(find_sheet(photo / np.float32(255)) - corners).max() < 1.5


@pytest.mark.parametrize("shape", [(60, 80), (90, 50)])
def test_a_sheet_comes_out_as_it_was_printed(shape):
    picture = drawing(*shape)
    photo, _ = photograph(picture, CALM, 1)
    sheet = Chain("rectify")(photo)
    assert sheet.width / sheet.height == pytest.approx(shape[1] / shape[0], rel=0.03)
    assert 2 < sheet.height / shape[0] < 3  # as fine as in the photo
    assert likeness(sheet, picture) < 8


def test_a_plain_margin_is_cut_off():
    picture = drawing()
    photo, _ = photograph(picture, Camera(light=1, cast=0, noise=2, margin=0.1), 2)
    sheet = Chain("rectify")(photo)
    assert likeness(sheet, picture) < 8


def test_a_border_that_is_drawn_on_stays():
    framed = np.pad(drawing(180, 240), ((24, 24), (24, 24), (0, 0)), constant_values=250)
    assert find_plain_margin(framed / np.float32(255)) is not None
    framed[4:20:8, ::6] = framed[-20:-4:8, ::6] = framed[::6, 4:20:8] = framed[::6, -20:-4:8] = (60, 20, 20)
    assert find_plain_margin(framed / np.float32(255)) is None


@pytest.mark.parametrize("name", ["semantic.png", "semantic_damaged.jpg"])
def test_a_picture_without_a_sheet_stays_as_it_is_and_says_so(name, caplog):
    picture = read_picture(ROOT / "examples" / name)
    with caplog.at_level(logging.WARNING, "artkit"):
        after = Chain("rectify")(picture)
    assert torch.equal(after.tensor, picture.tensor)
    assert "no sheet with four straight sides is seen" in caplog.text
    assert "photograph the whole sheet" in caplog.text


def test_boards_and_lines_are_no_sheet():
    lines = np.full((200, 300, 3), 200, np.uint8)
    lines[40:44] = lines[156:160] = 60
    assert find_sheet(lines / np.float32(255)) is None
    lines[:, 60:64] = lines[:, 236:240] = 60
    assert find_sheet(lines / np.float32(255)) is None  # a grid goes on beyond its corners


@pytest.mark.parametrize("proportion", [0.5, 1.41, 2.0])
def test_proportions_are_exact_for_a_camera_of_that_focal_length(proportion):
    photo, tilt = (600, 800), np.radians(25)
    sheet = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2 * (proportion, 1)
    cos, sin = np.cos(tilt), np.sin(tilt)
    depth = 3 + sin * sheet[:, 1] + sin * sheet[:, 0] * cos
    corners = np.stack([cos * sheet[:, 0], cos * sheet[:, 1] - sin * sin * sheet[:, 0]], 1) / depth[:, None]
    corners = corners * FOCAL * 1000 + (400, 300)
    height, width = sheet_size(corners, photo)
    assert width / height == pytest.approx(proportion, rel=0.01)
    assert width * height <= 600 * 800


def test_photos_of_one_size_may_hold_sheets_of_many():
    photos = [read_picture(photograph(drawing(), Camera(fill=fill), 1)[0]) for fill in (0.9, 0.7)]
    runner = Runner(plan_chain(Chain("rectify"), current_registry(), has_input=True), device="cpu")
    both = [made[-1].picture.tensor for made in runner.compute(photos, [0, 0])]
    assert both[0].shape[-1] > both[1].shape[-1] * 1.1
    assert all(torch.equal(one, Chain("rectify")(photo).tensor) for one, photo in zip(both, photos, strict=True))
