"""Pairs of a dataset run through a chain, and the scores of what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from artkit.spec import Kind

if TYPE_CHECKING:
    from torch import Tensor

    from artkit.cli.progress import Quiet
    from artkit.data import Column, Dataset
    from artkit.engine.runner import Runner
    from artkit.images import Picture
    from artkit.plugins import Registry
    from artkit.spec import MetricSpec

Score = Callable[[list["Tensor"], list["Tensor"]], float]


class Pairs:
    """Pairs (source, target) of a dataset, for a chain that gives `output`; columns are chosen where none is named.

    The choice is that of training: from the first label map, else picture, to the first other picture; towards label
    maps, the other way round. Raises DataError when the dataset has no such columns.
    """

    def __init__(self, dataset: Dataset, output: Kind, source: str | None, target: str | None) -> None:
        self.dataset = dataset
        if output is Kind.LABELS:
            self.target = dataset.column(target) if target else dataset.first(Kind.LABELS)
            other = dataset.first(Kind.IMAGE, Kind.LABELS, besides=[self.target.name]) if source is None else None
            self.source = other or dataset.column(source or "")
        else:
            self.source = dataset.column(source) if source else dataset.first(Kind.LABELS, Kind.IMAGE)
            other = dataset.first(output, besides=[self.source.name]) if target is None else None
            self.target = other or dataset.column(target or "")

    def __len__(self) -> int:
        return len(self.dataset)

    def load(self, index: int) -> tuple[Picture, Picture]:
        """Load one pair as pictures."""
        sample = self.dataset.load(index, [self.source.name, self.target.name])
        return _picture(sample[self.source.name], self.source), _picture(sample[self.target.name], self.target)


class Scores:
    """What came out after every step, and the targets, kept in 8 bits as files would be."""

    def __init__(self) -> None:
        self.targets: list[Tensor] = []
        self.stages: dict[str, list[Tensor]] = {}

    def add(self, stage: str, picture: Picture, kind: Kind) -> None:
        """Keep a picture of a stage, when it is of the target's kind or can be painted."""
        if kind is Kind.IMAGE or picture.kind is kind:
            self.stages.setdefault(stage, []).append(_stored(picture, kind))

    def table(self, metrics: list[MetricSpec], registry: Registry) -> dict[str, list[float]]:
        """Compute every metric for every stage: {stage: scores in the order of `metrics`}."""
        from artkit.plugins import resolve

        functions: list[Score] = [resolve(spec.function, registry.origin(spec.name)) for spec in metrics]
        targets = [_restored(tensor) for tensor in self.targets]
        table = {}
        for stage, pictures in self.stages.items():
            restored = [_restored(tensor) for tensor in pictures]
            table[stage] = [float(function(restored, targets)) for function in functions]
        return table


def run_pairs(runner: Runner, pairs: Pairs, seed: int, bar: Quiet) -> Scores:
    """Run the chain on every pair, pair i under `seed` + i."""
    scores, kind = Scores(), pairs.target.kind
    for index in range(len(pairs)):
        source, target = pairs.load(index)
        scores.targets.append(_stored(target, kind))
        scores.add("input", source, kind)
        for step in runner.run(source, seed=seed + index):
            scores.add(f"{step.index + 1} {step.method}", step.picture, kind)
        bar.advance(f"{index + 1} of {len(pairs)}")
    return scores


def _picture(value: Tensor | str, column: Column) -> Picture:
    from artkit.errors import DataError
    from artkit.images import Picture

    if isinstance(value, str):
        raise DataError(f"the column '{column.name}' is text: it cannot be evaluated.")
    if column.kind is Kind.LABELS:
        return Picture(value[None].long(), kind=Kind.LABELS, classes=column.classes)
    return Picture(value[None].float() / 255, kind=column.kind)


def _stored(picture: Picture, kind: Kind) -> Tensor:
    if kind is Kind.IMAGE:
        import torch

        return picture.painted().tensor[0].mul(255).round().to(torch.uint8)
    return picture.tensor[0]


def _restored(tensor: Tensor) -> Tensor:
    import torch

    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor
