"""Which samples are kept apart from training, by what their files hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HELD_OUT_SHARE = 0.1
AT_LEAST_ONE_OF = 5
HASHED_BYTES = 1 << 16  # of a file's end, where pictures differ even when their headers do not


def hold_out(files: Mapping[str, Path]) -> set[str]:
    """Return the keys of about a tenth of the files: one at least of five or more, and never all.

    The choice rests on each file's content alone: it stays when files are added, renamed or moved, and copies of a file
    share its fate.
    """
    with ThreadPoolExecutor() as readers:
        places = dict(zip(files, readers.map(_place, files.values()), strict=True))
    held = {key for key, place in places.items() if place < HELD_OUT_SHARE}
    if not held and len(files) >= AT_LEAST_ONE_OF:
        held = {min(places, key=lambda key: (places[key], key))}
    return held if len(held) < len(files) else set()


def _place(path: Path) -> float:
    """Return a number in [0, 1) drawn from a file's length and end; 1 for a file that cannot be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - HASHED_BYTES))
            digest = hashlib.blake2b(file.read(HASHED_BYTES), digest_size=4, key=str(size).encode()).digest()
    except OSError:
        return 1.0
    return int.from_bytes(digest, "big") / 2**32
