"""How fast and how good is nst's engine `patch`? `python tests/benchmarks/nst.py` prints a table; nothing is asserted.

    python tests/benchmarks/nst.py --style monet.jpg --sides 384 512 1024 --quality normal
    python tests/benchmarks/nst.py --style monet.jpg --sides 384 --against ../artkit-before --save pictures/

Each side is painted in a process of its own, twice: the second time, warm, counts; the peak memory is the process's.
Patch distances (artkit.metrics.patch_distance) are to the style; structural similarity is that to the photo. With
`--against` another checkout of artkit, such as a `git worktree` of an older commit, paints the same in turn.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

HEADING = (
    f"{'side':>6} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'to style':>10} {'photo to':>10} {'SSIM':>6}  checkout"
)
HERE = Path(__file__).parents[2]


def measure(side: int, flags: argparse.Namespace) -> None:
    """Paint with the artkit that is imported, and print a line."""
    from skimage import data
    from skimage.metrics import structural_similarity

    from artkit import Chain, Picture
    from artkit.images import read_picture, resize_image
    from artkit.metrics import patch_distance
    from artkit_nst.swatches import make_swatch

    tensor = read_picture(flags.photo or data.coffee()).tensor
    scale = side / max(tensor.shape[-2:])
    photo = resize_image(tensor, (round(tensor.shape[-2] * scale), round(tensor.shape[-1] * scale)))
    style = read_picture(flags.style).tensor if Path(flags.style).suffix else make_swatch(flags.style)[None]
    chain = Chain(f"nst(engine=patch,quality={flags.quality})")
    for _ in range(2):
        start, busy = time.perf_counter(), time.process_time()
        painted = chain(Picture(photo), style=Picture(style), seed=flags.seed)
        wall, busy = time.perf_counter() - start, time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    near, far = (patch_distance(one, [style[0]], patches=16384, projections=64) for one in (painted.tensor, photo))
    pair = (one[0].movedim(0, -1).numpy() for one in (photo, painted.tensor))
    alike = structural_similarity(*pair, channel_axis=2, data_range=1)
    print(
        f"{side:>6} {wall:>8.1f} {busy:>8.1f} {memory:>8} {near:>10.4f} {far:>10.4f} {alike:>6.3f}  {flags.alone}",
        flush=True,
    )
    if flags.save:
        flags.save.mkdir(parents=True, exist_ok=True)
        painted.save(flags.save / f"{flags.alone}_{side}.png", overwrite=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--style", default="flow", help="a picture, or the name of a style")
    parser.add_argument("--sides", type=int, nargs="+", default=[384, 512, 1024])
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against", type=Path, help="another checkout of artkit, measured the same way")
    parser.add_argument("--save", type=Path, help="a folder for the pictures")
    parser.add_argument("--alone", help=argparse.SUPPRESS)  # in this process, without the heading, under that name
    flags = parser.parse_args()
    if flags.alone:
        measure(flags.sides[0], flags)
        return
    print(HEADING, flush=True)
    passed = ["--style", flags.style, "--quality", flags.quality, "--seed", str(flags.seed)]
    passed += ["--photo", str(flags.photo)] if flags.photo else []
    passed += ["--save", str(flags.save)] if flags.save else []
    for side in flags.sides:
        for root in [HERE, *([flags.against.resolve()] if flags.against else [])]:
            named = ["--alone", root.name, "--sides", str(side), *passed]
            paths = {"PYTHONPATH": os.pathsep.join([str(root), str(root / "plugins")])}
            subprocess.run([sys.executable, __file__, *named], check=True, env=os.environ | paths)


if __name__ == "__main__":
    main()
