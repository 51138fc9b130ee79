"""Pictures that are nearly the same, found by difference hashes of their thumbnails, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

MAX_BITS = 16  # of 256 that may differ: saving again at another quality or size changes a few
MAX_LEVELS = 4.0  # mean difference of the thumbnails
MIN_BITS = 8  # set: a flat picture has none, and is like any other flat one
ROWS = 2048


def find_near_duplicates(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Yield (i, j) for each of `first` that is nearly one of `second`; thumbnails are grey, uint8 H (W + 1).

    The hash is one bit a pair of neighbours, whether the right one is lighter (Krawetz, "Kind of Like That", 2013); all
    distances are one matrix product. Hashes that agree are checked by the thumbnails themselves.
    """
    if not first or not second:
        return
    ours, theirs = np.stack(first), np.stack(second)
    bits = _hash(theirs).T
    for start in range(0, len(ours), ROWS):
        part = ours[start : start + ROWS]
        hashed = _hash(part)
        likeness = hashed @ bits
        for row in np.flatnonzero(likeness.max(1) >= bits.shape[0] - 2 * MAX_BITS):
            column = int(likeness[row].argmax())
            alike = np.abs(part[row].astype(int) - theirs[column]).mean() <= MAX_LEVELS
            if alike and (hashed[row] > 0).sum() >= MIN_BITS:
                yield start + int(row), column


def _hash(thumbnails: np.ndarray) -> np.ndarray:
    """Return the bits of each thumbnail as -1 or 1, float32 (N, H * W)."""
    lighter = thumbnails[:, :, 1:] > thumbnails[:, :, :-1]
    return np.where(lighter, 1, -1).astype(np.float32).reshape(len(thumbnails), -1)
