"""Runs side by side: the options in which they differ, and where each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from artkit.runs.run import Run

UNSAID = "–"


@dataclass(frozen=True)
class Comparison:
    """Several runs: their `names`, the `options` that differ, and `numbers`, losses and scores, a value a run."""

    runs: list[Run]
    names: list[str]
    options: dict[str, list[Any]]
    numbers: dict[str, list[float | str | None]]


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compare runs: method, data, settings and training options, then the last losses, scores and the best."""
    runs = list(runs)
    told = [{"method": run.record.method, "data": run.record.data} | run.options for run in runs]
    keys = dict.fromkeys(key for one in told for key in one)
    values = {key: [one.get(key) for one in told] for key in keys}
    options = {key: each for key, each in values.items() if any(value != each[0] for value in each)}
    numbers: dict[str, list[float | str | None]] = {
        "state": [run.state for run in runs],
        "step": [run.step for run in runs],
    }
    rows = [run.losses for run in runs]
    numbers |= {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    for metric in dict.fromkeys(name for run in runs for name in run.metrics):
        numbers[metric] = [next((row[metric] for row in reversed(run.scores) if metric in row), None) for run in runs]
    for metric in dict.fromkeys(run.best.metric for run in runs if run.best):
        of = [run.best if run.best and run.best.metric == metric else None for run in runs]
        numbers[f"best {metric}"] = [best.value if best else None for best in of]
        numbers["at step"] = [best.step if best else None for best in of]
    return Comparison(runs, _names(runs), options, numbers)


def show_value(value: Any) -> str:
    """Return an option's value as it is typed."""
    if value is None:
        return UNSAID
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(show_value, value)) + "]"
    return str(value)


def _names(runs: Sequence[Run]) -> list[str]:
    """Return what to call the runs: their names, or, where those are alike, their paths."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.path) for run in runs]
