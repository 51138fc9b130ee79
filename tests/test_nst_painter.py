"""Two commands make a fast painter of any single painting: nst paints targets, and pix2pix learns to paint them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artkit.cli import main
from artkit.plugins import current_registry, use_registry

STYLE = "nst(style='painting.png',engine=patch,quality=draft)"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Light photos, one of them kept apart, and a dark red painting."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    Path("photos").mkdir()
    for name in ("new.png", *(f"photos/{index}.png" for index in range(6))):
        write(name, random.integers(150, 256, (32, 32, 3)))
    write("painting.png", random.integers(0, 90, (40, 40, 3)) * np.array([1, 0.3, 0.2]))
    installed = current_registry()
    yield
    use_registry(installed)


def write(name: str, pixels: np.ndarray) -> None:
    Image.fromarray(pixels.astype(np.uint8)).save(name)


def run(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def read(name: str) -> np.ndarray:
    return np.asarray(Image.open(name)).astype(float)


def test_pix2pix_learns_what_nst_paints(world):
    run("data", "pairs", "photos", "-o", "pairs", "--to", STYLE)
    small = ("--set", "network=resnet_6", "--set", "width=8", "--set", "receptive_field=16", "--set", "ema=0")
    run("train", "pix2pix", "pairs", "-o", "run", "--steps", 40, "--crop", 24, "--set", "learning_rate=0.002", *small)
    run("run", "new.png", "--chain", "pix2pix(model='run/model.safetensors')", "-o", "fast.png")
    run("run", "new.png", "--chain", STYLE, "-o", "slow.png")
    photo, fast, slow = (read(name) for name in ("new.png", "fast.png", "slow.png"))
    assert np.abs(fast - slow).mean() < 0.2 * np.abs(photo - slow).mean()
