"""Moving pictures for tests: a smooth pattern that slides, by whole pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIZE = (72, 96)  # height, width


def slide(index: int, step: tuple[int, int] = (1, 2), size: tuple[int, int] = SIZE) -> Tensor:
    """Return frame `index` (3, H, W) of a pattern that moves `step` pixels down and right a frame."""
    rng = np.random.default_rng(3)
    height, width = size
    y, x = (np.arange(side, dtype=np.float64) for side in size)
    y, x = y[:, None] - step[0] * index, x[None] - step[1] * index
    total = np.zeros((3, height, width))
    for _ in range(24):
        down, right = rng.normal(0, 0.16, 2)
        total += rng.normal(0, 1, (3, 1, 1)) * np.sin(down * y + right * x + rng.uniform(0, 6.3))
    return torch.from_numpy((0.5 + total / 16).clip(0, 1).astype(np.float32))


def write_frames(folder: Path | str, count: int, **how) -> None:
    """Write frames as PNGs: 0.png and so on."""
    Path(folder).mkdir()
    for index in range(count):
        levels = (slide(index, **how) * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(levels).save(f"{folder}/{index}.png")
