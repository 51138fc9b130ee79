"""One picture to make, as plain data: torch-free, so that a run is planned and printed before anything computes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One picture to make under `seed`.

    `source` is a file, a file's bytes, what else `read_picture` reads, or None for a dream; `target` is where the
    result goes, None leaves it to the caller; `name` is what the picture is called inside an output folder.
    """

    source: Any
    target: Path | None
    seed: int
    name: Path

    @property
    def label(self) -> str:
        """What to call the job in captions and messages."""
        if self.source is None:
            return f"seed {self.seed}"
        if isinstance(self.source, bytes):
            return "standard input"
        return str(self.source if isinstance(self.source, str | Path) else self.name)
