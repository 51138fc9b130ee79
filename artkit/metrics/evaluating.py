"""Score a chain against the held-out targets of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain
from artkit.data import Column, Dataset, open_dataset
from artkit.engine.runner import Runner
from artkit.errors import DataError, UsageError
from artkit.images import convert
from artkit.plugins import current_registry, resolve
from artkit.spec import Kind, MetricSpec


@dataclass(frozen=True)
class Evaluation:
    """Scores by metric, and what was compared: `source` and `target` columns, and how many pictures."""

    scores: dict[str, float]
    source: str
    target: str
    count: int


def evaluate(
    data: str | Path,
    chain: Chain | str,
    metrics: Sequence[str] | None = None,
    *,
    split: str = "val",
    source: str | None = None,
    target: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Run `chain` on the source column of a split and score the results against its target column.

    `data` is a folder or a dataset's name, `metrics` are names (all that fit the chain and need nothing beyond
    artkit, when left out). Columns default to those pix2pix trains on, or, for a chain that gives labels, to picture
    and label map. Picture i runs under seed `seed` + i, and is told the text columns of its sample. Raises
    DataError, ChainError, UsageError and, before any picture is computed, what a metric raises whose needs are not met.
    """
    if isinstance(metrics, str) or not isinstance(metrics, Sequence | type(None)):
        raise UsageError("metrics are a list of names, such as ['rgb_distance'].")
    if not isinstance(data, str | Path):
        raise DataError(f"data is a folder or a dataset's name, not {type(data).__name__}.")
    dataset = open_dataset(str(data), split)
    runner = Runner(plan_chain(Chain(chain), current_registry(), has_input=True), device=device, precision=precision)
    inputs, targets = _columns(dataset, runner.plan.output, source, target)
    chosen = _metrics(metrics, runner.plan.output)
    told = [name for name, column in dataset.columns.items() if column.kind is Kind.TEXT]
    outputs: list[Tensor] = []
    wanted: list[Tensor] = []
    count = min(dataset.count(inputs.name), dataset.count(targets.name))
    for index in range(min(count, limit or count)):
        sample = dataset.load(index, [inputs.name, targets.name, *told])
        facts = {name: str(sample[name]) for name in told}
        result = runner.run(inputs.picture(sample[inputs.name]), seed=seed + index, facts=facts)[-1].picture
        outputs.append(convert(result, targets.kind, targets.classes).tensor[0])
        wanted.append(targets.picture(sample[targets.name]).tensor[0])
        progress()
    registry = current_registry()
    scores = {spec.name: float(resolve(spec.function, registry.origin(spec.name))(outputs, wanted)) for spec in chosen}
    return Evaluation(scores, inputs.name, targets.name, len(outputs))


def _columns(dataset: Dataset, output: Kind, source: str | None, target: str | None) -> tuple[Column, Column]:
    first = (Kind.IMAGE, Kind.LABELS) if output is Kind.LABELS else (Kind.LABELS, Kind.IMAGE)
    inputs = dataset.column(source) if source else dataset.first(*first, besides=[target or ""])
    return inputs, dataset.column(target) if target else dataset.first(output, besides=[inputs.name])


def _metrics(names: Sequence[str] | None, kind: Kind) -> list[MetricSpec]:
    registry = current_registry()
    if names is None:
        return [spec for spec in registry.metrics.values() if spec.kind is kind and not spec.needs]
    chosen = [registry.metric(name) for name in names]
    for spec in chosen:
        if spec.kind is not kind:
            raise UsageError(f"the metric {spec.name} compares {spec.kind}, and this chain gives {kind}.")
        if spec.needs:
            resolve(spec.needs, registry.origin(spec.name))()
    return chosen
