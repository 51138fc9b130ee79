"""extrapolate: what moved goes on, the right way and as far; what stood still stays; clips, and the contract."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

import artkit
from artkit.images import read_picture
from artkit.motion import estimate_flow, warp
from artkit.plugins import current_registry
from artkit.testing import check_method
from artkit_nextframe.extrapolating import move_on
from cli_kit import open_shell

TEXTURE = gaussian_filter(np.random.default_rng(0).random((3, 400, 400)), (0, 2, 2))
TEXTURE = ((TEXTURE - TEXTURE.min()) / np.ptp(TEXTURE)).astype(np.float32)


def frame(step: int, *, side: int = 96, by: tuple[int, int] = (1, 2)) -> torch.Tensor:
    """Return a window on the texture, whose contents move down and right by so many pixels a step."""
    top, left = 40 - by[0] * step, 60 - by[1] * step
    return torch.from_numpy(TEXTURE[:, top : top + side, left : left + side].copy())


def error(made: torch.Tensor, true: torch.Tensor) -> float:
    inside = (..., slice(16, -16), slice(16, -16))
    return float((made[inside] - true[inside]).square().mean())


@pytest.mark.parametrize("ahead", [1, 3])
def test_what_moved_goes_on_as_far(ahead):
    made = move_on(frame(1), frame(0), ahead)
    assert made.shape == (3, 96, 96)
    assert error(made, frame(1 + ahead)) < 0.05 * error(frame(1), frame(1 + ahead))


def test_small_frames_move_by_their_flow():
    flow = estimate_flow(frame(1), frame(0))
    torch.testing.assert_close(
        move_on(frame(1), frame(0), 2), warp(frame(1), 2 * flow, mode="bicubic").clamp(0, 1), atol=1e-4, rtol=0
    )


def test_large_frames_move_as_far_as_small_ones():
    made = move_on(frame(1, side=300, by=(2, 3)), frame(0, side=300, by=(2, 3)), 1)
    assert error(made, frame(2, side=300, by=(2, 3))) < 0.1 * error(frame(1, side=300, by=(2, 3)), made)


def test_what_stood_still_stays_bit_for_bit():
    assert torch.equal(move_on(frame(0), frame(0), 5), frame(0))


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (5, 7)])
def test_small_frames_are_no_harm(size):
    frames = [torch.rand(3, *size, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    made = move_on(*frames, 4)
    assert made.shape == (3, *size)
    assert made.isfinite().all()
    assert (made.min() >= 0, made.max() <= 1) == (True, True)


def test_a_clip_of_frames_shows_what_comes_next(tmp_path, monkeypatch, capsys):
    shell = open_shell(tmp_path, monkeypatch, capsys)
    monkeypatch.delenv("ARTKIT_PLUGINS")
    (tmp_path / "clip").mkdir()
    for step in range(4):
        pixels = (frame(step).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "clip" / f"{step}.png")
    outcome = shell("run", "clip", "--chain", "extrapolate", "-o", "next/")
    assert outcome.code == 0, outcome.err
    made = [read_picture(path).tensor[0] for path in sorted((tmp_path / "next").iterdir())]
    assert torch.equal((made[0] * 255).round(), (frame(0) * 255).round())  # nothing moved before the first
    for step in (1, 2):
        assert error(made[step], frame(step + 1)) < 0.05 * error(frame(step), frame(step + 1))


def test_it_keeps_the_contract():
    check_method("extrapolate", current_registry())
    assert artkit.methods()["extrapolate"].summary.startswith("Show the next frame")
