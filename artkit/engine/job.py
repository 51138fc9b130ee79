"""One picture to make, as plain data: torch-free, so that a run is planned and printed before anything computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from artkit.buckets import BucketPath, Place


@dataclass(frozen=True)
class Job:
    """One picture to make under `seed`.

    `source` is a file, an object in a bucket, a file's bytes, what else `read_picture` reads, or None for a dream;
    `target` is where the result goes, None leaves it to the caller; `name` is what the picture is called inside an
    output folder. `before` are the sources before it in its folder or clip, the nearest first, as many as the chain
    looks at.
    """

    source: Any
    target: Place | None
    seed: int
    name: Path
    before: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """What to call the job in captions and messages."""
        if self.source is None:
            return f"seed {self.seed}"
        if isinstance(self.source, bytes):
            return "standard input"
        return str(self.source if isinstance(self.source, str | Path | BucketPath) else self.name)


def look_back(jobs: Iterable[Job], count: int) -> Iterator[Job]:
    """Tell every job which sources came before its own, `count` at most, the nearest first.

    Files follow each other inside their folder, other pictures as they come; those of another seed are another row.
    """
    if count == 0:
        yield from jobs
        return
    rows: dict[tuple[Place | None, int], deque[Any]] = {}
    for job in jobs:
        source = Path(job.source) if isinstance(job.source, str) else job.source
        folder = source.parent if isinstance(source, Path | BucketPath) else None
        row = rows.setdefault((folder, job.seed), deque(maxlen=count))
        yield replace(job, before=tuple(row)) if row else job
        if job.source is not None:
            row.appendleft(job.source)
