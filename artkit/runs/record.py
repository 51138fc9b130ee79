"""The files of a run directory, what a run was started with, and whether it goes on at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from artkit.errors import TrainingError
from artkit.files import open_regular, write_atomically, writing

RUN_FILE, CHECKPOINT, SAMPLES, LOCK = "run.json", "checkpoint.pt", "samples", "training.lock"
LOG, SCORES, NOTES = "log.csv", "scores.csv", "notes.csv"
MODEL_FILE, BEST_FILE, REPORT_FILE = "model.safetensors", "best.safetensors", "report.html"
MOST_BYTES = 2**20  # of a record


class Record(msgspec.Struct, frozen=True):
    """What a run was started with, as its `run.json` says.

    `values` are those given, `settings` all of them with their defaults; `environment` is what it computes with, and
    `started` when it began, UTC.
    """

    method: str
    data: str
    values: dict[str, Any]
    settings: dict[str, Any] = {}
    environment: dict[str, str] = {}
    started: str = ""


def read_record(run: Path) -> Record:
    """Read what a run was started with. TrainingError when `run` is no run."""
    try:
        with open_regular(run / RUN_FILE) as file:
            return msgspec.json.decode(file.read(MOST_BYTES), type=Record)
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{run} is not a training run: it has no readable {RUN_FILE}.") from error


def write_record(run: Path, record: Record) -> None:
    """Write `run.json`, whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    write_atomically(run / RUN_FILE, text + b"\n", overwrite=True)


@contextmanager
def holding(run: Path) -> Iterator[None]:
    """Hold a run while the block trains it; the system lets go of what a killed process held.

    Raises TrainingError where another process trains in this folder.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(run / LOCK)
    with writing(run / LOCK), suppress(NotImplementedError):  # a disk without locks
        try:
            lock.acquire(timeout=1)  # `is_running` may hold it for a moment
        except Timeout:
            raise TrainingError(f"{run} is in training already: wait for it, or give another folder.") from None
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (run / LOCK).unlink(missing_ok=True)


def is_running(run: Path) -> bool:
    """Tell whether a process of this machine trains in the folder."""
    from filelock import FileLock, Timeout

    if not (run / LOCK).is_file():
        return False
    try:
        with FileLock(run / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):  # a folder of others, a disk without locks
        return False
