"""One run as its folder tells it: how far it is, its losses and scores, and whether it goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from artkit.errors import TrainingError
from artkit.runs.record import (
    BEST_FILE,
    LOG,
    MODEL_FILE,
    NOTES,
    RUN_FILE,
    SAMPLES,
    SCORES,
    Record,
    is_running,
    read_record,
)
from artkit.runs.tables import MOST_DIGITS, Note, Row, read_notes, read_rows

State = Literal["running", "stopped", "done"]
BESIDES = ("step", "learning_rate", "images_per_second")
"""Columns of the log that are no losses."""
BEST = "best"
"""The column of scores that says 1 where a model was the best so far."""
DONE = "done"
"""How the note begins that a run leaves when it comes to its end."""
SLOWEST = 1e-9  # pictures a second that an end can be told from
DEPTH = 4  # folders below the one that is searched


@dataclass(frozen=True)
class Best:
    """The best held-out score of a run, and the step it was reached at."""

    metric: str
    step: int
    value: float


@dataclass(frozen=True)
class Run:
    """A run directory, read at one moment."""

    path: Path
    record: Record
    log: list[Row]
    scores: list[Row]
    notes: list[Note]
    running: bool

    @property
    def name(self) -> str:
        """The name given to the model, else the folder's."""
        return str(self.record.values.get("name") or self.path.resolve().name)

    @property
    def state(self) -> State:
        """`running`, `done` (it came to its end), or `stopped` (by Ctrl-C, a fault, or a kill)."""
        if self.running:
            return "running"
        return "done" if self.notes and self.notes[-1].text.startswith(DONE) else "stopped"

    @cached_property
    def step(self) -> int:
        """The last step that was told of."""
        noted = [note.step for note in self.notes[-1:]]
        return max([*(int(row["step"]) for row in (*self.log[-1:], *self.scores[-1:])), *noted], default=0)

    @property
    def steps(self) -> int | None:
        """How many steps there are to be; None where an old run does not say."""
        return _whole(self.options.get("steps"))

    @property
    def names(self) -> list[str]:
        """The names of its losses, in the order of the log."""
        return _columns(self.log, BESIDES)

    @property
    def metrics(self) -> list[str]:
        """The names of its held-out scores, the deciding one first."""
        return _columns(self.scores, ("step", BEST))

    @property
    def losses(self) -> dict[str, float]:
        """The mean losses of the log's last row."""
        return {name: value for name, value in (self.log[-1] if self.log else {}).items() if name not in BESIDES}

    @property
    def best(self) -> Best | None:
        """The best score, where scores are taken."""
        rows = [row for row in self.scores if row.get(BEST) and self.metrics[0] in row]
        return Best(self.metrics[0], int(rows[-1]["step"]), rows[-1][self.metrics[0]]) if rows else None

    @property
    def changed(self) -> float:
        """When the run last wrote something, in seconds since 1970."""
        files = (self.path / name for name in (LOG, SCORES, NOTES, RUN_FILE))
        return max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)

    @property
    def seconds_left(self) -> float | None:
        """How long it will take to the last step at the pace of the log's last row."""
        speed = self.log[-1].get("images_per_second") if self.log else None
        if not speed or speed < SLOWEST or self.steps is None:
            return None
        return (self.steps - self.step) * self._number("batch") * self._number("accumulate") / speed

    @property
    def sheets(self) -> list[tuple[int, Path]]:
        """Its sample sheets by step, the oldest first."""
        found = (self.path / SAMPLES).glob("*.png")
        return sorted((int(path.stem), path) for path in found if path.stem.isdecimal() and path.is_file())

    @property
    def models(self) -> list[Path]:
        """The model files that it has written: the last, and the best."""
        return [path for name in (MODEL_FILE, BEST_FILE) if (path := self.path / name).is_file()]

    @property
    def options(self) -> dict[str, Any]:
        """Its settings and training options, with defaults; of a run of before, those that were given."""
        return self.record.values | self.record.settings

    def _number(self, name: str) -> int:
        return _whole(self.options.get(name)) or 1


def read_run(path: Path, *, running: bool | None = None) -> Run:
    """Read a run directory; whether it is `running` is looked for where it is not said.

    Raises TrainingError when it is none.
    """
    record = read_record(path)
    running = is_running(path) if running is None else running
    return Run(path, record, read_rows(path / LOG), read_rows(path / SCORES), read_notes(path / NOTES), running)


def find_runs(folders: Sequence[Path]) -> list[Run]:
    """Return the runs in folders and below them, what changed last first.

    Raises TrainingError for a folder that is not there.
    """
    for folder in folders:
        if not folder.is_dir():
            raise TrainingError(f"there is no folder {folder}: artkit train METHOD DATA -o {folder} makes a run.")
    paths = dict.fromkeys(path for folder in folders for path in _walk(folder, DEPTH))
    return sorted(filter(None, map(_readable, paths)), key=lambda run: run.changed, reverse=True)


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the folders that hold a run; what is in a run, hidden or linked is not searched."""
    if (folder / RUN_FILE).is_file():
        yield folder
    elif depth:
        try:
            with os.scandir(folder) as entries:
                below = sorted(
                    one.name for one in entries if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")
                )
        except OSError:
            return
        for name in below:
            yield from _walk(folder / name, depth - 1)


def _whole(value: Any) -> int | None:
    """Return a number of steps or pictures; None for what is none: a run may be a stranger's."""
    return value if isinstance(value, int) and 0 <= value < 10**MOST_DIGITS else None


def _readable(path: Path) -> Run | None:
    try:
        return read_run(path)
    except TrainingError:  # another program's run.json
        return None


def _columns(rows: list[Row], besides: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row if name not in besides))
