"""What the running core tells plugins through the `before_step`, `after_step` and `training_event` hooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class StepEvent:
    """One step of a chain, before it runs (`seconds` is None) or after (`seconds` is how long it took).

    `index` counts from 0; `seed` is the one the step runs with.
    """

    index: int
    method: str
    seed: int
    seconds: float | None = None


@dataclass(frozen=True)
class TrainingEvent:
    """A moment of a training run: its run directory, and the steps done.

    A `start` is also where a run goes on from, resumed or gone back: what it told of later steps it tells again. At a
    `step` that is logged, `losses` are the means since the last, by name, and `learning_rate` is that of the step; at a
    `score`, `scores` are those of held-out pictures, by metric. A `sample` is `run / "samples/000500.png"`.
    """

    kind: Literal["start", "step", "score", "sample", "checkpoint", "end"]
    run: Path
    step: int
    losses: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    learning_rate: float = 0.0
