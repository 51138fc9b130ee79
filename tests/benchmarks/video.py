"""How steady is a painted clip, and how sharp? `CLIPS=FOLDER python tests/benchmarks/video.py [CHAIN] [STEADY]...`

For the clips of a folder (CLIP/frame/NNNNN.jpg), their first 36 frames at 214 x 120: the warping error of Lai et al.
(ECCV 2018), the mean square difference between a picture and the one before, moved along the motion, where the same
things are seen. Of the clip itself, which is its floor, of frame by frame, and for each STEADY (0.001: strokes ride and
nothing is blended to speak of; 0.5; 1). Beside it sharpness, the ratio of mean gradients to those of frame by frame: a
blurred clip is steady, too. Errors are of every third frame. Their flow is not the one that steadies but TV-L1, at full
size, both ways, on the clip that came in.

Variables: SEEDS=5 paints all with five seeds, each compared with itself, and says the least and the greatest of them
beside the mean; FRAMES=12 takes fewer; SHOWN=label gives the chain the label maps in CLIP/label, at their own size,
which `artkit data make landscapes --set frames=36 --size 214x120` makes beside the frames.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.registration import optical_flow_tvl1
from torch import Tensor

from artkit import Chain
from artkit.images import Picture
from artkit.motion import visible, warp

SIZE, EVERY, SHOWN = (214, 120), 3, os.environ.get("SHOWN", "frame")
FRAMES, SEEDS = int(os.environ.get("FRAMES", "36")), int(os.environ.get("SEEDS", "1"))


def read_clip(place: Path) -> list[Tensor]:
    """Return frames (3, H, W) in [0, 1]."""
    files = sorted((place / "frame").iterdir())[:FRAMES]
    found = (np.asarray(Image.open(file).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)) for file in files)
    return [torch.from_numpy(levels.transpose(2, 0, 1) / np.float32(255)) for levels in found]


def flow(frame: Tensor, other: Tensor) -> Tensor:
    """Return where each pixel of a frame is in the other."""
    grey = [one.mean(0).numpy() for one in (frame, other)]
    return torch.from_numpy(np.asarray(optical_flow_tvl1(*grey), np.float32))


def warping_error(clip: list[Tensor], motion: dict[int, tuple[Tensor, Tensor]]) -> float:
    """Return the mean over frames of sum(M |V_t - W(V_(t-1))|²) / sum(M), a channel."""
    errors = []
    for now, (back, mask) in motion.items():
        difference = (clip[now] - warp(clip[now - 1], back)).square().mean(0)
        errors.append(float((mask * difference).sum() / mask.sum()))
    return float(np.mean(errors))


def gradient(clip: list[Tensor], motion: dict[int, tuple[Tensor, Tensor]]) -> float:
    """Return the mean slope, along both sides."""
    slopes = [(clip[now].diff(dim=side).abs().mean()) for now in motion for side in (-1, -2)]
    return float(torch.stack(slopes).mean())


def compare(paint: Chain, place: Path, asked: list[float]) -> np.ndarray:
    """Print the floor of a clip and the errors of frame by frame; return SEEDS x amounts x (error, sharpness)."""
    frames = read_clip(place)
    both = {now: (frames[now], frames[now - 1]) for now in range(2, FRAMES, EVERY)}
    flows = {now: (flow(*pair), flow(*reversed(pair))) for now, pair in both.items()}
    motion = {now: (back, visible(back, forth)) for now, (back, forth) in flows.items()}
    pictures = [Picture(frame[None].contiguous()) for frame in frames]
    shown = pictures if SHOWN == "frame" else sorted((place / SHOWN).iterdir())[:FRAMES]
    rows, errors = [], []
    for seed in range(SEEDS):
        made = {
            steady: [one.tensor[0] for one in paint.stream(shown, steady=steady, seed=seed)] for steady in (0.0, *asked)
        }
        error, sharp = warping_error(made[0.0], motion), gradient(made[0.0], motion)
        rows.append([(warping_error(made[one], motion) / error, gradient(made[one], motion) / sharp) for one in asked])
        errors.append(error)
    listed = ", ".join(f"{error:.5f}" for error in errors)
    print(f"{place.name}: the clip {warping_error(frames, motion):.5f}, frame by frame {listed}", flush=True)
    return np.array(rows)


def main(chain: str = "cyclegan(model=monet)", *amounts: str) -> None:
    """Print a line a clip and amount, and their means."""
    paint, found = Chain(chain), []
    asked = [float(amount) for amount in amounts] or [0.001, 0.5, 1.0]
    for place in sorted(path for path in Path(os.environ["CLIPS"]).iterdir() if (path / "frame").is_dir()):
        found.append(compare(paint, place, asked))
        for steady, (ratio, sharpness) in zip(asked, found[-1].mean(0), strict=True):
            print(f"  steady {steady:g}: {ratio:.3f} of it, sharpness {sharpness:.3f}", flush=True)
    seeds = np.mean(found, 0)
    for steady, mean, least, most in zip(asked, seeds.mean(0), seeds.min(0), seeds.max(0), strict=True):
        spans = [f"{m:.3f} ({low:.3f} to {high:.3f})" for m, low, high in zip(mean, least, most, strict=True)]
        print(f"all, steady {steady:g}: {spans[0]} of frame by frame, sharpness {spans[1]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
