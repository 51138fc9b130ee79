"""What a training run tells whoever watches: a protocol, a silent watcher, and the CSV log."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Protocol

from artkit.files import writing


class Reporter(Protocol):
    """Someone who watches a run; the command line shows a progress bar with it."""

    def start(self, total: int, done: int) -> None:
        """Say how many steps there are, and how many a resumed run has behind it."""

    def tick(self, step: int) -> None:
        """Say after every step how many are done."""

    def step(self, step: int, losses: dict[str, float], images_per_second: float, eta: float) -> None:
        """Report mean losses since the last report, speed, and the seconds left."""

    def sheet(self, path: Path) -> None:
        """Point to a sample sheet just written."""

    def note(self, text: str) -> None:
        """Say something once: the device, the networks' sizes, a warning."""

    def end(self, path: Path) -> None:
        """Point to the exported model."""


class NullReporter:
    """A reporter that says nothing."""

    def start(self, total: int, done: int) -> None:
        """See Reporter."""

    def tick(self, step: int) -> None:
        """See Reporter."""

    def step(self, step: int, losses: dict[str, float], images_per_second: float, eta: float) -> None:
        """See Reporter."""

    def sheet(self, path: Path) -> None:
        """See Reporter."""

    def note(self, text: str) -> None:
        """See Reporter."""

    def end(self, path: Path) -> None:
        """See Reporter."""


class CsvLog:
    """`log.csv` of a run: a row of mean losses every so often; rows past `step` are dropped when a run resumes."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        rows = self._rows() if step else []
        kept = [row for row in rows if int(row["step"]) <= step]
        self._names = list(kept[0]) if kept else None
        if self._names is None:
            with writing(path):
                path.unlink(missing_ok=True)
        elif len(kept) < len(rows):
            self._write(kept, "w")

    def add(self, step: int, losses: dict[str, float], images_per_second: float) -> None:
        """Append one row."""
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in losses.items()}}
        self._write([row | {"images_per_second": f"{images_per_second:.3g}"}], "a")

    def _rows(self) -> list[dict[str, str]]:
        if not self.path.is_file():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def _write(self, rows: list[dict[str, str]], mode: str) -> None:
        header = self._names is None or mode == "w"
        self._names = self._names or list(rows[0])
        with writing(self.path), self.path.open(mode, newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._names, extrasaction="ignore")
            if header:
                writer.writeheader()
            writer.writerows(rows)
