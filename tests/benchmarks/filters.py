"""How fast are filters on large photos? `python tests/benchmarks/filters.py` prints a table; nothing is asserted.

    python tests/benchmarks/filters.py --against ../artkit-before --count 18

Photos of 12 megapixels, made of one of scikit-image's, go through each chain by `artkit run` in a process of its own.
The start of the process is measured with one photo and taken off; the peak of memory is the process's. With `--against`
another checkout of artkit, such as a `git worktree` of an older commit, does the same in turn. Let nothing else run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parents[2]
CHAINS = ("resize(longest=1024),edges", "edges")
SIZE = (4000, 3000)


def make_photos(folder: Path, count: int) -> list[Path]:
    """Write so many JPEGs, each with grain of its own: enlarged photos alone would be too easy to read."""
    from skimage import data

    photo = np.asarray(Image.fromarray(data.coffee()).resize(SIZE, Image.Resampling.LANCZOS), np.int16)
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        grain = np.random.default_rng(number).integers(-4, 5, (*photo.shape[:2], 1), np.int16)
        Image.fromarray((photo + grain).clip(0, 255).astype(np.uint8)).save(path, quality=92)
    return paths


def run(root: Path, chain: str, photos: list[Path]) -> tuple[float, int]:
    """Return the seconds that a checkout took, and the peak of its memory in MiB."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "plugins")])}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "artkit", "run", *map(str, photos), "--chain", chain, "-o", folder]
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{root}: artkit run --chain '{chain}' failed.")
        return time.perf_counter() - start, used.ru_maxrss // 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--against", type=Path, help="another checkout of artkit, measured the same way")
    flags = parser.parse_args()
    roots = [HERE, *([flags.against.resolve()] if flags.against else [])]
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(Path(folder), flags.count)
        for chain in CHAINS:
            for root in roots:
                one, _ = run(root, chain, photos[:1])
                all_, peak = run(root, chain, photos)
                rate = (len(photos) - 1) / (all_ - one)
                print(f"{chain:28} {rate:5.2f} pictures a second, peak {peak} MiB  {root.name}", flush=True)


if __name__ == "__main__":
    main()
