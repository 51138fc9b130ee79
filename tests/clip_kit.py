"""Small clips for tests: a square that moves over a slope of colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (24, 16)  # width, height
DURATIONS = [50, 60, 70, 80, 90]


def frame(index: int, alpha: bool = False) -> Image.Image:
    """Return a frame; with alpha the upper half is clear but for the square."""
    width, height = SIZE
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(width) * 8, np.arange(height)[:, None] * 12
    pixels[..., 3] = 255
    if alpha:
        pixels[: height // 2, :, 3] = 0
    pixels[2:6, 2 + 3 * index : 6 + 3 * index] = (255, 255, 255, 255)
    return Image.fromarray(pixels) if alpha else Image.fromarray(pixels[..., :3])


def make_clip(path: Path | str, count: int = 5, *, alpha: bool = False, **how) -> Path:
    """Write an animation."""
    frames = [frame(index, alpha) for index in range(count)]
    how = (
        {"duration": DURATIONS[:count], "loop": 0}
        | ({"disposal": 1 if str(path).endswith("png") else 2, "blend": 0} if alpha else {})
        | how
    )
    if str(path).endswith(".webp"):
        how["lossless"] = True
    frames[0].save(path, save_all=True, append_images=frames[1:], **how)
    return Path(path)


def read_clip(path: Path | str) -> tuple[list[np.ndarray], list[int], int | None]:
    """Return an animation's frames as RGBA, how many milliseconds each is shown, and its loop."""
    frames, durations = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGBA")))
            durations.append(round(image.info["duration"]))
        return frames, durations, image.info.get("loop")
