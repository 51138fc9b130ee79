"""Held-out scores of a run: taken at checkpoints, as `artkit evaluate` takes them; the best model, and when to end."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artkit.chain import Chain, Step
from artkit.data import Dataset
from artkit.errors import ArtkitError, TrainingError, UsageError
from artkit.metrics.evaluating import evaluate
from artkit.plugins import current_registry
from artkit.spec import Kind, MethodSpec, MetricSpec
from artkit.training.trainer import Settings

SCORED = 16
"""Held-out pictures that are scored, the first ones."""


@dataclass(frozen=True)
class Scoring:
    """How models are scored: the method and its data, the metrics, and the columns that are compared."""

    method: str
    data: str
    metrics: tuple[MetricSpec, ...]
    settings: Settings
    source: str | None = None
    target: str | None = None

    def score(self, export: Callable[[Path], Path]) -> dict[str, float]:
        """Return the scores of the model that `export` writes."""
        with tempfile.TemporaryDirectory() as folder:
            model = export(Path(folder) / "model.safetensors")
            try:
                found = evaluate(
                    self.data,
                    Chain([Step(self.method, {"model": str(model)})]),
                    [metric.name for metric in self.metrics],
                    source=self.source,
                    target=self.target,
                    limit=SCORED,
                    load_size=self.settings.load_size,
                    device=self.settings.device,
                )
            except ArtkitError as error:
                raise TrainingError(
                    f"best={self.settings.best}: held-out pictures cannot be scored: {error} Leave best out."
                ) from error
        return found.scores


def make_scoring(
    spec: MethodSpec, data: str, settings: Settings, dataset: Dataset, columns: tuple[str, ...]
) -> Scoring | None:
    """Return how a run is scored; None where it is not to be.

    What is compared are the first two columns that are trained on, where the second is what the method gives; else
    `artkit evaluate` chooses. Raises UsageError for a metric that there is none of, or of another kind, and for
    patience with nothing.
    """
    if not settings.best:
        if settings.patience:
            raise UsageError(f"patience={settings.patience} waits for a better score: add --best METRIC.")
        return None
    registry = current_registry()
    metrics = tuple(registry.metric(name.strip()) for name in settings.best.split(","))
    for metric in metrics:
        if metric.kind is not spec.output:
            raise UsageError(f"best={metric.name} compares {metric.kind}, and {spec.name} gives {spec.output}.")
    if (
        len(columns) > 1
        and _are(dataset, columns[0], Kind.IMAGE, Kind.LABELS)
        and _are(dataset, columns[1], spec.output)
    ):
        return Scoring(spec.name, data, metrics, settings, *columns[:2])
    return Scoring(spec.name, data, metrics, settings)


def _are(dataset: Dataset, name: str, *kinds: Kind) -> bool:
    return name in dataset.columns and dataset.columns[name].kind in kinds


class Best:
    """The best score so far, by the first metric, and for how many checkpoints there was none better."""

    def __init__(self, metric: MetricSpec | None, patience: int) -> None:
        self.metric, self.patience = metric, patience
        self.value: float | None = None
        self.waited = 0

    def take(self, value: float) -> bool:
        """Count a score; return whether it is the best so far."""
        assert self.metric is not None
        sign = 1 if self.metric.better == "higher" else -1
        better = math.isfinite(value) and (self.value is None or sign * value > sign * self.value)
        self.value, self.waited = (value, 0) if better else (self.value, self.waited + 1)
        return better

    @property
    def is_over(self) -> bool:
        """Whether patience is at its end."""
        return 0 < self.patience <= self.waited

    def state(self) -> dict[str, Any]:
        """Return everything `load_state` needs."""
        return {"value": self.value, "waited": self.waited}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.value, self.waited = state["value"], int(state["waited"])
