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
    """A moment of a training run: its run directory, the optimiser steps done, and the losses by name."""

    kind: Literal["start", "step", "sample", "checkpoint", "end"]
    run: Path
    step: int
    losses: dict[str, float] = field(default_factory=dict)
