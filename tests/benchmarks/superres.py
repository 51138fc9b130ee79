"""Bicubic, squared error, adversarial: `python tests/benchmarks/superres.py [score] [speed] [look FOLDER]`.

score: PSNR and SSIM of luma (BT.601, 8 bits, a border as wide as the scale cut off) and patch distance (RGB), on
held-out landscapes, rendered and painted, and on four CC0 photos that no model was trained on. Pictures are cut to
multiples of the scale and shrunk by antialiased bicubic interpolation to 8 bits.
speed: seconds of one thread for each megapixel of output, and the peak of memory of a large one.
look: writes crops side by side, enlarged: nearest, bicubic, faithful, that with quality=best, sharp, original.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

import artkit
from artkit.data import open_dataset
from artkit.images import make_strip, read_picture, write_picture
from artkit.metrics import patch_distance
from artkit.nn import enlarge_bicubic
from artkit_superres.degradation import shrink
from artkit_superres.metrics import psnr_y, ssim_y

HELD_OUT = "landscapes(count=9,seed=900001)"
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
CROPS = {"astronaut": (60, 180), "chelsea": (90, 170), "coffee": (130, 250), "rocket": (200, 250)}
SIDE = 96


def atelier(column: str) -> list[Tensor]:
    """Return held-out landscapes, 3HW."""
    data = open_dataset(HELD_OUT)
    return [data.load(index, [column])[column].float() / 255 for index in range(len(data))]


def photos() -> list[Tensor]:
    """Return scikit-image's CC0 photos, 3HW."""
    from skimage import data

    return [torch.from_numpy(getattr(data, name)().copy()).permute(2, 0, 1).float() / 255 for name in PHOTOS]


def methods(scale: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return what enlarges 3HW, by name."""
    made: dict[str, Callable[[Tensor], Tensor]] = {
        "bicubic": lambda small: enlarge_bicubic(small[None], scale)[0].clamp(0, 1)
    }
    for name, quality in (("faithful", "normal"), ("best", "best"), ("sharp", "normal")):
        chain = artkit.load("superres/sharp" if name == "sharp" else "superres/faithful", scale=scale, quality=quality)
        made[name] = lambda small, chain=chain: chain(small).tensor[0]
    return made


def cut(picture: Tensor, multiple: int) -> Tensor:
    """Cut 3HW to sides that are multiples."""
    height, width = (side // multiple * multiple for side in picture.shape[-2:])
    return picture[:, :height, :width]


def score() -> None:
    """Print the table."""
    sets = {"renderings": atelier("photo"), "paintings": atelier("painting"), "photos": photos()}
    for name, pictures in sets.items():
        for scale in (2, 4):
            targets = [cut(picture, scale) for picture in pictures]
            small = [shrink(target[None], scale)[0] for target in targets]
            for method, enlarge in methods(scale).items():
                outputs = [enlarge(picture) for picture in small]
                numbers = psnr_y(outputs, targets, scale), ssim_y(outputs, targets, scale)
                distance = patch_distance(outputs, targets)
                print(f"{name:10} x{scale} {method:8}: PSNR {numbers[0]:.2f} dB, SSIM {numbers[1]:.4f}, ", end="")
                print(f"patch distance {distance:.5f}", flush=True)


def speed() -> None:
    """Print processor seconds for each megapixel made."""
    torch.set_num_threads(1)
    for scale in (2, 4):
        for method, enlarge in methods(scale).items():
            small = torch.rand(3, 1024 // scale, 1024 // scale)
            enlarge(small)
            start = time.process_time()
            enlarge(small)
            print(f"x{scale} {method:8}: {(time.process_time() - start) / 1.048576:.2f} s a megapixel")
    methods(4)["sharp"](torch.rand(3, 1024, 1536))
    print(f"25 megapixels made in at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


def look(folder: Path) -> None:
    """Write a sheet for each set and scale."""
    folder.mkdir(parents=True, exist_ok=True)
    photo_crops = [
        picture[:, y : y + SIDE, x : x + SIDE] for picture, (y, x) in zip(photos(), CROPS.values(), strict=True)
    ]
    rendered, painted = (
        [picture[:, 80 : 80 + SIDE, 80 : 80 + SIDE] for picture in atelier(name)[:2]] for name in ("photo", "painting")
    )
    for scale in (2, 4):
        rows = []
        for target in [*photo_crops, *rendered, *painted]:
            small = shrink(target[None], scale)[0]
            cells = {"nearest": small.repeat_interleave(scale, 1).repeat_interleave(scale, 2)}
            cells |= {name: enlarge(small) for name, enlarge in methods(scale).items()} | {"original": target}
            rows.append([(read_picture(_zoomed(cell)), name) for name, cell in cells.items()])
        write_picture(make_strip(rows), folder / f"superres-x{scale}.png", overwrite=True)


def _zoomed(picture: Tensor, times: int = 3) -> Tensor:
    return F.interpolate(picture[None], scale_factor=times, mode="nearest").clamp(0, 1)


if __name__ == "__main__":
    words = sys.argv[1:] or ["score", "speed"]
    if words[0] == "look":
        look(Path(words[1]))
    else:
        for word in words:
            {"score": score, "speed": speed}[word]()
