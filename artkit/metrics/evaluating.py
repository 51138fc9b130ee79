"""Score a chain against the held-out targets of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain
from artkit.data import Column, Dataset, open_dataset
from artkit.data.batches import resize_sample
from artkit.engine.runner import Runner
from artkit.errors import DataError, UsageError
from artkit.images import convert
from artkit.plugins import current_registry, resolve
from artkit.spec import Kind, MetricSpec


@dataclass(frozen=True)
class Evaluation:
    """Scores by metric, and what was compared: `source` and `target` columns, and how many pictures.

    `source` is empty for a chain that dreams: its pictures are a set beside the targets'.
    """

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
    load_size: int = 0,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Run `chain` on the source column of a split and score the results against its target column.

    `data` is a folder or a dataset's name, `metrics` are names (all that fit the chain and need neither what is beyond
    artkit nor words for the targets, when left out). Columns default to those pix2pix trains on, or, for a chain that
    gives labels, to picture and label map. Picture i runs under seed `seed` + i, and is told the text columns of its
    sample; `load_size` resizes pictures to so many pixels on their shortest side, as training does, 0 leaves them. A
    chain that takes no picture, such as `can`, dreams one of each target's size; a metric of two sets of pictures suits
    it. Raises DataError, ChainError, UsageError and, before any picture is computed, what a metric raises whose needs
    are not met.
    """
    if isinstance(metrics, str) or not isinstance(metrics, Sequence | type(None)):
        raise UsageError("metrics are a list of names, such as ['rgb_distance'].")
    if not isinstance(data, str | Path):
        raise DataError(f"data is a folder or a dataset's name, not {type(data).__name__}.")
    dataset = open_dataset(str(data), split)
    runner = make_runner(Chain(chain), device=device, precision=precision)
    dreams = not runner.plan.has_input
    if dreams and source:
        raise UsageError(f"{Chain(chain)} starts from nothing, so there is no source: leave it out.")
    inputs, targets = choose_columns(dataset, runner.plan.output, source, target, dreams=dreams)
    chosen = _metrics(metrics, runner.plan.output)
    told = [name for name, column in dataset.columns.items() if column.kind is Kind.TEXT]
    outputs: list[Tensor] = []
    wanted: list[Tensor] = []
    said: list[dict[str, str]] = []
    columns = [column for column in (inputs, targets) if column]
    count = min(dataset.count(column.name) for column in columns)
    for index in range(min(count, limit or count)):
        sample = dataset.load(index, [*(column.name for column in columns), *told])
        sample = resize_sample(sample, load_size) if load_size else sample
        facts = {name: str(sample[name]) for name in told}
        picture = targets.picture(sample[targets.name])
        given = inputs.picture(sample[inputs.name]) if inputs else None
        size = (picture.width, picture.height) if dreams else None
        result = runner.run(given, seed=seed + index, size=size, facts=facts)[-1].picture
        outputs.append(convert(result, targets.kind, targets.classes).tensor[0])
        wanted.append(picture.tensor[0])
        said.append(facts)
        progress()
    scores = {spec.name: _compute(spec, outputs, wanted, said) for spec in chosen}
    return Evaluation(scores, inputs.name if inputs else "", targets.name, len(outputs))


def make_runner(chain: Chain, *, device: str = "auto", precision: str = "auto") -> Runner:
    """Make a chain ready to run on pictures, or on none where its first method takes none."""
    registry = current_registry()
    has_input = bool(registry.method(chain[0].method).inputs)
    return Runner(plan_chain(chain, registry, has_input=has_input), device=device, precision=precision)


def choose_columns(
    dataset: Dataset, output: Kind, source: str | None, target: str | None, *, dreams: bool = False
) -> tuple[Column | None, Column]:
    """Return the columns that a chain giving `output` starts from, none where it `dreams`, and is compared with.

    None chooses those that fit. Raises DataError where none does.
    """
    first = (Kind.IMAGE, Kind.LABELS) if output is Kind.LABELS else (Kind.LABELS, Kind.IMAGE)
    inputs = None if dreams else dataset.column(source) if source else dataset.first(*first, besides=[target or ""])
    besides = [inputs.name] if inputs else []
    return inputs, dataset.column(target) if target else dataset.first(output, besides=besides)


def _compute(spec: MetricSpec, outputs: list[Tensor], targets: list[Tensor], facts: list[dict[str, str]]) -> float:
    function = resolve(spec.function, current_registry().origin(spec.name))
    return float(function(outputs, targets, facts) if spec.facts else function(outputs, targets))


def _metrics(names: Sequence[str] | None, kind: Kind) -> list[MetricSpec]:
    registry = current_registry()
    if names is None:
        return [spec for spec in registry.metrics.values() if spec.kind is kind and not spec.needs and not spec.facts]
    chosen = [registry.metric(name) for name in names]
    for spec in chosen:
        if spec.kind is not kind:
            raise UsageError(f"the metric {spec.name} compares {spec.kind}, and this chain gives {kind}.")
        if spec.needs:
            resolve(spec.needs, registry.origin(spec.name))()
    return chosen
