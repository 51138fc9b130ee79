"""How fast and how good is nst's engine `patch`? `python tests/benchmarks/nst.py` prints a table; nothing is asserted.

    python tests/benchmarks/nst.py --style monet.jpg --sides 384 512 1024 --quality normal

Each side is painted in a process of its own, whose processor seconds and peak memory are its cost. Patch distances
(artkit.metrics.patch_distance) are to the style; structural similarity is that to the photo.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from artkit.images import read_picture, resize_image
from artkit.metrics import patch_distance


def photo(path: Path | None, side: int) -> torch.Tensor:
    """Return a photo (1 3 H W) whose long side has `side` pixels: `path`, or scikit-image's coffee."""
    if path is None:
        from skimage import data

        tensor = read_picture(data.coffee()).tensor
    else:
        tensor = read_picture(path).tensor
    scale = side / max(tensor.shape[-2:])
    return resize_image(tensor, (round(tensor.shape[-2] * scale), round(tensor.shape[-1] * scale)))


def measure(side: int, flags: argparse.Namespace) -> None:
    """Paint once, and print a line."""
    from skimage.metrics import structural_similarity

    from artkit_nst.effort import EFFORTS, manner
    from artkit_nst.keys import Source
    from artkit_nst.painting import Painter
    from artkit_nst.style import Style
    from artkit_nst.swatches import make_swatch

    picture = photo(flags.photo, side)[0]
    style = read_picture(flags.style).tensor[0] if Path(flags.style).suffix else make_swatch(flags.style)
    start, busy = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        painter = Painter(Style([Source(style, 1.0)]), manner(0.5, 0.7), EFFORTS[flags.quality])
        painted = painter.paint(picture, 0)
    wall, busy = time.perf_counter() - start, time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    near, far = (patch_distance([one], [style], patches=16384, projections=64) for one in (painted, picture))
    pair = (one.movedim(0, -1).numpy() for one in (picture, painted))
    alike = structural_similarity(*pair, channel_axis=2, data_range=1)
    print(f"{side:>6} {wall:>8.1f} {busy:>8.1f} {memory:>8} {near:>10.4f} {far:>10.4f} {alike:>6.2f}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--style", default="flow", help="a picture, or the name of a style")
    parser.add_argument("--sides", type=int, nargs="+", default=[384, 512, 1024])
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--alone", action="store_true", help="in this process, without the heading")
    flags = parser.parse_args()
    if flags.alone:
        for side in flags.sides:
            measure(side, flags)
        return
    print(
        f"{'side':>6} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'to style':>10} {'photo to':>10} {'SSIM':>6}",
        flush=True,
    )
    chosen = ["--style", flags.style, "--quality", flags.quality]
    chosen += ["--photo", str(flags.photo)] if flags.photo else []
    for side in flags.sides:
        subprocess.run([sys.executable, __file__, "--alone", "--sides", str(side), *chosen], check=True)


if __name__ == "__main__":
    main()
