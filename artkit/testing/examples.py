"""Small data that the kit trains on: pictures of coloured patches, with label maps, a second look, words and frames."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image

from artkit.spec import Need

SIDE = 48  # px
COUNT = 8
CLASSES = "0 sky 110 170 220\n1 grass 140 190 80\n2 rock 110 100 90\n"
COLOURS = np.array([[110, 170, 220], [140, 190, 80], [110, 100, 90]], np.uint8)
WORDS = ("calm", "wild")


def write_example(needs: Collection[Need], folder: Path) -> Path:
    """Write training data that meet one of `needs` into a new folder; return it."""
    if set(needs) == {Need.FRAMES}:
        _write_clips(folder)
    else:
        _write_table(folder)
    return folder


def _write_table(folder: Path) -> None:
    """Write the columns `label`, `photo`, `painting`, and captions with the columns `caption` and `style`."""
    rows = ["file\tcaption\tstyle"]
    for index in range(COUNT):
        labels = (
            np.random.default_rng(index).integers(0, len(COLOURS), (6, 6)).repeat(SIDE // 6, 0).repeat(SIDE // 6, 1)
        )
        photo = _noisy(COLOURS[labels], index, 12)
        for column, pixels in (("label", labels.astype(np.uint8)), ("photo", photo), ("painting", photo[::-1])):
            _save(pixels, folder / "train" / column / f"{index}.png")
        rows.append(f"{index}.png\ta {WORDS[index % 2]} place, number {index}\t{WORDS[index % 2]}")
    (folder / "classes.txt").write_text(CLASSES)
    (folder / "captions.tsv").write_text("\n".join(rows) + "\n")


def _write_clips(folder: Path) -> None:
    """Write two clips of six frames, in which a pattern moves to the right."""
    for clip in range(2):
        labels = np.random.default_rng(clip).integers(0, len(COLOURS), (6, 6)).repeat(SIDE // 6, 0).repeat(SIDE // 6, 1)
        for frame in range(6):
            _save(COLOURS[np.roll(labels, 2 * frame, 1)], folder / "train" / str(clip) / "frame" / f"{frame:05d}.png")


def _noisy(pixels: np.ndarray, seed: int, spread: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-spread, spread + 1, pixels.shape)
    return (pixels + noise).clip(0, 255).astype(np.uint8)


def _save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
