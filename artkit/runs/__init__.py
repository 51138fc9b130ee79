"""Run directories: what a training run leaves, read without torch; reports and comparisons of them."""

from __future__ import annotations

from artkit.runs.record import Record, read_record
from artkit.runs.run import Run, find_runs, read_run

__all__ = ["Record", "Run", "find_runs", "read_record", "read_run"]
