"""`--shard 3/16`: which pictures of a run are this process's, without any process knowing of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.cli.output import log

if TYPE_CHECKING:
    from artkit.engine import Job

MOST_SHARDS = 1_000_000


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count` of a run, counted from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def takes(self, name: str, step: int = 0) -> bool:
        """Tell whether the picture called `name` is this shard's; `step` further shards take its variations in turn.

        The name alone decides, so that other pictures that come or go move none: the first eight bytes of its SHA-256,
        which is the same on every machine and in every version of Python. Dreams have no name, and take turns.
        """
        import hashlib  # late: the command line's first answer does not wait for it

        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        start = int.from_bytes(digest[:8]) if name else 0
        return (start + step) % self.count == self.index - 1

    def holds(self, path: Path) -> bool:
        """Tell whether the picture with this relative path is this shard's.

        Its format does not count: what would become one file comes into one shard, which sees it, and refuses.
        """
        return self.takes(path.with_suffix("").as_posix())


def take_shard(jobs: Sequence[Job], shard: Shard, seed: int) -> list[Job]:
    """Return a shard's jobs, and say how many: inputs by their path in the folder, dreams and variations by their seed.

    `seed` is the first of the run.
    """
    taken = [job for job in jobs if shard.takes(_place(job), job.seed - seed)]
    log(f"shard {shard} has {len(taken):,} of the pictures.")
    return taken


def _place(job: Job) -> str:
    """Return what a job is called on every machine; dreams differ in their seeds alone."""
    return "" if job.source is None else job.name.with_suffix("").as_posix()
