"""Does cyclegan paint like a master? `python tests/benchmarks/masters.py PHOTOS PAINTINGS MODEL...` prints scores.

PHOTOS and PAINTINGS are folders of pictures that no model was trained on; MODEL is a model's name or file. Photos are
taken at 512 pixels on their longest side at most, paintings as they are. Of each model, and of `nst` with a painting as
style:

- patch distance of the translated photos to the paintings, beside that of the photos themselves, and of two halves of
  the paintings (7x7 patches; photos at 256 pixels on their shortest side, where they are as fine as the paintings);
- colour: how far averages over 16 pixels moved, CIE 1976 Delta E;
- structure: SSIM of the lightness after a blur of 8 pixels, photo to translation;
- the round trip: mean difference of the photo and what BtoA makes of its translation, in levels of 255.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2gray, rgb2lab
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional as F

from artkit import Chain
from artkit.images import Picture, read_picture
from artkit.metrics import patch_distance

SIDE, SHORTEST = 512, 256


def read(folder: str) -> list[Picture]:
    """Read the pictures of a folder."""
    return [read_picture(path) for path in sorted(Path(folder).iterdir()) if path.suffix in (".png", ".jpg")]


def shrink(pictures: list[Picture]) -> list[Tensor]:
    """Return pictures, 3 H W, with `SHORTEST` pixels on their shortest side, or less."""
    return [_shrunk(one.tensor)[0] for one in pictures]


def _shrunk(picture: Tensor) -> Tensor:
    scale = SHORTEST / min(picture.shape[-2:])
    size = [round(side * scale) for side in picture.shape[-2:]]
    return F.interpolate(picture, size=size, mode="bicubic", antialias=True).clamp(0, 1) if scale < 1 else picture


def colour_change(before: Picture, after: Picture) -> float:
    """Return how far averages over 16 pixels moved, as Delta E."""
    cells = [F.avg_pool2d(one.tensor, 16)[0].permute(1, 2, 0).numpy() for one in (before, after)]
    return float(np.linalg.norm(rgb2lab(cells[0]) - rgb2lab(cells[1]), axis=-1).mean())


def structure(before: Picture, after: Picture) -> float:
    """Return the structural similarity of what a blur leaves of both."""
    blurred = [gaussian_filter(rgb2gray(one.tensor[0].permute(1, 2, 0).numpy()), 8) for one in (before, after)]
    return float(structural_similarity(*blurred, data_range=1.0))


def main(photos: str, paintings: str, *models: str) -> None:
    """Print a line a model."""
    taken = [one if max(one.size) <= SIDE else Chain(f"resize(longest={SIDE})")(one) for one in read(photos)]
    painted = [one.tensor[0] for one in read(paintings)]
    halves = patch_distance(painted[::2], painted[1::2])
    print(f"halves of the paintings {halves:.4f}, photos {patch_distance(shrink(taken), painted):.4f}", flush=True)
    style = str(sorted(Path(paintings).iterdir())[0])
    ways: dict[str, tuple[Chain, Chain | None]] = {"nst": (Chain(f"nst(style='{style}')"), None)}
    for model in models:
        there, back = (Chain(f"cyclegan(model='{model}',direction={way})") for way in ("AtoB", "BtoA"))
        ways[model] = there, back
    for name, (paint, unpaint) in ways.items():
        made = [paint(one) for one in taken]
        pairs = list(zip(taken, made, strict=True))
        distance = patch_distance(shrink(made), painted)
        colour, kept = (np.mean([score(*pair) for pair in pairs]) for score in (colour_change, structure))
        line = f"{name}: patch distance {distance:.4f}, Delta E {colour:.1f}, structure {kept:.2f}"
        if unpaint is not None:
            errors = [(unpaint(after).tensor - before.tensor).abs().mean() * 255 for before, after in pairs]
            line += f", round trip {torch.stack(errors).mean():.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
