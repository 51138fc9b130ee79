"""nst with what nobody would give it on purpose, through the command line: a picture, or one line that helps."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from PIL import Image

import cli_kit
import vgg_kit
from artkit_nst.style import SMALL, warn_of_smallness
from artkit_nst.vgg import network as network_module

shell = pytest.fixture(cli_kit.open_shell)

ENGINES = {
    "patch": "nst(quality=draft,engine=patch)",
    "vgg": "nst(quality=draft,engine=vgg,weights='w.pth',steps=1)",
}


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


PICTURES = {
    "1x1": noise(1, 1, 3),
    "1x4000": noise(4000, 1, 3),
    "4000x1": noise(1, 4000, 3),
    "smaller than a patch": noise(5, 4, 3),
    "flat": np.full((30, 40, 3), 90, np.uint8),
    "black": np.zeros((30, 40, 3), np.uint8),
    "white": np.full((30, 40, 3), 255, np.uint8),
    "grey": noise(30, 40),
    "16 bit grey": noise(30, 40).astype(np.uint16) * 257,
    "alpha only": np.dstack([np.zeros((30, 40, 3), np.uint8), noise(30, 40)]),
    "transparent": np.zeros((30, 40, 4), np.uint8),
}


@pytest.fixture
def folder(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "nst")
    monkeypatch.setattr(network_module, "WIDTHS", vgg_kit.WIDTHS)
    torch.save(vgg_kit.torchvision(), "w.pth")
    Image.fromarray(noise(30, 40, 3)).save("usual.png")
    return shell


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("pixels", PICTURES.values(), ids=PICTURES)
def test_any_picture_is_painted_and_will_do_as_a_style(folder, pixels, engine):
    Image.fromarray(pixels).save("odd.png")
    for photo, style in (("odd", "usual"), ("usual", "odd"), ("odd", "odd")):
        run = ("run", f"{photo}.png", "--chain", engine, "-i", f"style={style}.png", "-o", "b.png", "--overwrite")
        outcome = folder(*run)
        assert outcome.code == 0, outcome.err
        assert cli_kit.pixels_of("b.png").shape[:2] == cli_kit.pixels_of(f"{photo}.png").shape[:2]


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_flat_photo_in_a_flat_style_has_the_styles_colour(folder, engine):
    Image.new("RGB", (30, 20), (90, 90, 90)).save("flat.png")
    Image.new("RGB", (30, 20), (200, 30, 60)).save("red.png")
    folder("run", "flat.png", "--chain", engine, "-i", "style=red.png", "-o", "b.png")
    assert np.abs(cli_kit.pixels_of("b.png").astype(int) - (200, 30, 60)).max() <= 24


def test_alpha_of_the_photo_stays(folder):
    Image.fromarray(PICTURES["alpha only"]).save("odd.png")
    folder("run", "odd.png", "--chain", ENGINES["patch"], "-i", "style=usual.png", "-o", "b.png")
    assert np.array_equal(np.asarray(Image.open("b.png"))[..., 3], PICTURES["alpha only"][..., 3])


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        ("nst(style=[nst])", "needs a picture"),
        ("nst(style=[mix(style=[dream])])", "needs a picture"),
        ("nst(style=[dream,mix])", "needs its port 'style'"),
        ("nst(image=[dream])", "fed twice"),
        ("nst(time_budget=0)", "time_budget"),
        ("nst(engine=vgg,weights='gone.pth')", "no such file"),
        ("nst(mix=[1,2])", "1 styles"),
    ],
)
def test_a_chain_that_does_not_fit_is_one_line(folder, chain, says):
    outcome = folder("run", "usual.png", "--chain", chain, "-o", "b.png")
    assert outcome.code in (1, 2)
    assert outcome.err.count("\n") == 1
    assert says in outcome.err
    assert "b.png" not in folder.files()


def test_chains_nested_too_deep_are_one_line(folder):
    """A chain cannot contain itself: it is built from the inside, and never changes."""
    deep = "nst(style=[" * 2000 + "dream" + "])" * 2000
    outcome = folder("run", "usual.png", "--chain", deep, "-o", "b.png")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_small_pictures_and_much_strength_are_warned_of(caplog):
    with caplog.at_level(logging.WARNING, "artkit.nst"):
        warn_of_smallness(200, SMALL, 0.6)
        warn_of_smallness(200, SMALL + 1, 0.9)
        assert not caplog.records
        warn_of_smallness(200, SMALL, 0.9)
    assert "strength=0.9 dissolves small faces" in caplog.text
