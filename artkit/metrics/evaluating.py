"""Score a chain against the held-out targets of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from artkit.chain.steps import Chain
from artkit.data import open_dataset
from artkit.errors import DataError, UsageError
from artkit.images import Picture, convert
from artkit.metrics.held_out import HeldOut, Ports, Trial
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
    ports: Ports | None = None,
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
    sample; `ports` are columns, one or several, that feed other ports of the chain, by the port's name. `load_size`
    resizes pictures to so many pixels on their shortest side, as training does, 0 leaves them. A chain that takes no
    picture, such as `can`, dreams one of each target's size; a metric of two sets of pictures suits it. One that looks
    back is shown the frames before, where the data are clips. Raises DataError, ChainError, UsageError and, before any
    picture is computed, what a metric raises whose needs are not met.
    """
    if isinstance(metrics, str) or not isinstance(metrics, Sequence | type(None)):
        raise UsageError("metrics are a list of names, such as ['rgb_distance'].")
    if not isinstance(data, str | Path):
        raise DataError(f"data is a folder or a dataset's name, not {type(data).__name__}.")
    dataset, chain = open_dataset(str(data), split), Chain(chain)
    held_out = HeldOut(dataset, chain, source=source, target=target, ports=ports, device=device, precision=precision)
    chosen = _metrics(metrics, held_out.output)
    trials: list[Trial] = []
    outputs: list[Picture] = []
    for index in range(min(len(held_out), limit or len(held_out))):
        trial = held_out.load(index, load_size)
        trials.append(trial)
        outputs.append(held_out.run(trial, seed + index))
        progress()
    wanted, facts = [trial.wanted for trial in trials], [trial.facts for trial in trials]
    scores = {spec.name: _compute(spec, outputs, wanted, facts) for spec in chosen}
    return Evaluation(scores, held_out.source.name if held_out.source else "", held_out.target.name, len(outputs))


def _compute(spec: MetricSpec, outputs: list[Picture], targets: list[Picture], facts: list[dict[str, str]]) -> float:
    """Compute a score of pictures in the kind that it compares: label maps are painted where it compares images."""
    classes = targets[0].classes or outputs[0].classes
    made, wanted = ([convert(one, spec.kind, classes).tensor[0] for one in part] for part in (outputs, targets))
    function = resolve(spec.function, current_registry().origin(spec.name))
    return float(function(made, wanted, facts) if spec.facts else function(made, wanted))


def _metrics(names: Sequence[str] | None, kind: Kind) -> list[MetricSpec]:
    registry = current_registry()
    if names is None:
        special = {name for name, one in registry.metrics.items() if one.needs or one.facts or one.by_name}
        return [one for name, one in registry.metrics.items() if one.kind is kind and name not in special]
    chosen = [registry.metric(name) for name in names]
    for spec in chosen:
        if spec.kind is not kind and (spec.kind, kind) != (Kind.IMAGE, Kind.LABELS):  # maps can be painted
            raise UsageError(f"the metric {spec.name} compares {spec.kind}, and this chain gives {kind}.")
        if spec.needs:
            resolve(spec.needs, registry.origin(spec.name))()
    return chosen
