"""The tables of a run: `log.csv` and `scores.csv`, numbers by step, and `notes.csv`, what happened."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import islice
from pathlib import Path

from artkit.files import open_regular, writing

MOST_BYTES = 2**26  # of a table
MOST_CELLS = 2**22  # of a table, empty ones too: 400,000 rows of ten columns; what comes after them is not read
LARGEST = 1e30  # number: charts have to divide what lies between two
MOST_DIGITS = 15  # of a step
Row = dict[str, float]


class CsvLog:
    """A table of numbers by step, a row every so often; rows past `step` are dropped when a run goes on from there."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        rows = read_text_rows(path) if step else []
        kept = [row for row in rows if _is_step(row["step"]) and int(row["step"]) <= step]
        self._names = list(kept[0]) if kept else []
        if not kept:
            with writing(path):
                path.unlink(missing_ok=True)
        elif len(kept) < len(rows):
            self._write(kept, "w")

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append one row. A name that comes later than others, a loss that sets in, becomes one more column."""
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}}
        new = [name for name in row if name not in self._names]
        before = read_text_rows(self.path) if new and self._names else []
        self._names += new
        self._write([*before, row], "w" if new else "a")

    def _write(self, rows: list[dict[str, str]], mode: str) -> None:
        with writing(self.path), self.path.open(mode, newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._names)
            if mode == "w":
                writer.writeheader()
            writer.writerows(rows)


@dataclass(frozen=True)
class Note:
    """Something that happened to a run: at which step, when (UTC), and what, in a line."""

    step: int
    when: str
    text: str


def add_note(path: Path, step: int, text: str) -> None:
    """Append a note; what happened is never taken back, also where a run goes on from before."""
    new = not path.exists()
    with writing(path), path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "when", "note"])
        writer.writerow([step, now(), text])


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def read_notes(path: Path) -> list[Note]:
    """Return the notes of a run, the oldest first."""
    return [
        Note(int(row["step"]), row["when"], row["note"])
        for row in read_text_rows(path)
        if _is_step(row["step"]) and row.get("when") and row.get("note")
    ]


def read_rows(path: Path) -> list[Row]:
    """Return a table's rows; what is no number, or beyond `LARGEST`, is left out, and so is a row that was cut off."""
    rows = [
        {name: value for name, text in row.items() if (value := _number(text)) is not None}
        for row in read_text_rows(path)
        if _is_step(row["step"])
    ]
    return [row for row in rows if "step" in row]


def read_text_rows(path: Path) -> list[dict[str, str]]:
    """Return a table's rows as they are written; none where there is no table."""
    try:
        with open_regular(path) as file:
            text = file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    try:
        reader = csv.DictReader(StringIO(text, newline=""), restval="")
        rows = list(islice(reader, MOST_CELLS // max(1, len(reader.fieldnames or ()))))
    except csv.Error:
        return []
    return [{name: value for name, value in row.items() if name} for row in rows if row.get("step")]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None  # NaN is not


def _is_step(text: str) -> bool:
    return text.isdecimal() and len(text) <= MOST_DIGITS
