"""Is a prediction better than the last frame? `python tests/benchmarks/nextframe.py [MODEL...]` tells.

On camera moves through landscapes that no model was trained on, 128 x 96, or on the clips of the folder CLIPS where the
environment names one (CLIP/frame/NNNNN.png): mean square error and structural similarity of predictions to the frames
that came, and sharpness, the ratio of horizontal gradients to theirs. Of the last frame shown again, of its motion
extrapolated (ILK), and of each MODEL; at one frame ahead, and at four.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity
from skimage.registration import optical_flow_ilk
from skimage.transform import warp

from artkit import Chain
from artkit_atelier.scenes import make_frames

CLIPS, FRAMES, FIRST = 20, 12, 600001
HORIZONS = (1, 4)
Predict = Callable[[list[np.ndarray], int], np.ndarray]


def read_clips() -> list[list[np.ndarray]]:
    """Return clips of frames (H, W, 3) in [0, 1]."""
    folder = os.environ.get("CLIPS")
    if folder is None:
        return [[scene.photo for scene in make_frames(FIRST + n, 96, 128, FRAMES)] for n in range(CLIPS)]
    places = sorted(path for path in Path(folder).iterdir() if (path / "frame").is_dir())
    files = [sorted((place / "frame").iterdir())[:FRAMES] for place in places]
    return [[np.asarray(Image.open(file).convert("RGB"), np.float32) / 255 for file in clip] for clip in files]


def copy(seen: list[np.ndarray], ahead: int) -> np.ndarray:
    """Show the last frame again."""
    return seen[-1]


def extrapolate(seen: list[np.ndarray], ahead: int) -> np.ndarray:
    """Move the last frame on as it moved since the one before."""
    before, last = (rgb2gray(frame) for frame in seen[-2:])
    down, right = optical_flow_ilk(last, before)  # where each pixel of the last was in the one before
    rows, columns = np.mgrid[: last.shape[0], : last.shape[1]].astype(float)
    places = np.stack([rows + ahead * down, columns + ahead * right])
    return np.stack([warp(seen[-1][..., band], places, mode="edge") for band in range(3)], -1)


def predictor(model: str) -> Predict:
    """Return what predicts by a model."""
    chains = {ahead: Chain(f"nextframe(model='{model}',ahead={ahead})") for ahead in HORIZONS}
    return lambda seen, ahead: chains[ahead](seen[-3:])[-1].numpy() / 255


def main(*models: str) -> None:
    """Print a line a way and horizon."""
    clips = read_clips()
    ways: dict[str, Predict] = {
        "the last frame": copy,
        "extrapolated": extrapolate,
        **{m: predictor(m) for m in models},
    }
    for ahead in HORIZONS:
        for name, predict in ways.items():
            scores = []
            for clip in clips:
                for now in range(3, len(clip) - ahead, 3):
                    made, true = predict(clip[: now + 1], ahead), clip[now + ahead]
                    alike = structural_similarity(made, true, channel_axis=-1, data_range=1)
                    sharp = np.abs(np.diff(made, axis=1)).mean() / np.abs(np.diff(true, axis=1)).mean()
                    scores.append((np.square(made - true).mean(), alike, sharp))
            error, alike, sharp = np.mean(scores, 0)
            print(f"{ahead} ahead, {name}: MSE {error:.5f}, SSIM {alike:.3f}, sharpness {sharp:.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
