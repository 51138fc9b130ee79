"""What a data set offers to methods: which of them can train on it, with the command, or what they miss."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from artkit.data.dataset import Column, Dataset
from artkit.data.layouts.clips import NEXT, OTHER_TIMES
from artkit.errors import DataError
from artkit.plugins import current_registry
from artkit.spec import Kind, MethodSpec, Need

MISSING = {
    Need.PICTURES: "pictures in one folder",
    Need.PAIRS: "pairs: two columns whose files have the same names",
    Need.LABELS: "label maps: a column called 'label', and classes.txt",
    Need.LABELLED: "pictures with label maps: a column called 'label', classes.txt, and another column",
    Need.DOMAINS: "two columns of pictures, such as A and B",
    Need.CLASSES: "classes: a folder a class, or a table of them",
    Need.CAPTIONS: "captions: a CSV or TSV file with a column 'file'",
    Need.FRAMES: "frames of clips: CLIP/frame/00001.jpg",
}
"""What to add to data that do not meet a need."""


def list_trainable(data: str, dataset: Dataset) -> list[dict[str, str]]:
    """Return the methods that can train on a data set: `method`, the `command` to type, and what it `learns`."""
    found = []
    for name, method in _trained().items():
        learns = next((words for need in method.trains_on if (words := meet(need, dataset))), None)
        if learns is not None:
            command = f"artkit train {name} {_quoted(data)} -o runs/{name}"
            found.append({"method": name, "command": command, "learns": learns + _other_way(method, dataset, learns)})
    return found


def list_untrainable(dataset: Dataset) -> dict[str, str]:
    """Return the methods that cannot train on a data set, each with what it misses."""
    return {
        name: " or ".join(MISSING[need] for need in method.trains_on)
        for name, method in _trained().items()
        if not any(meet(need, dataset) for need in method.trains_on)
    }


def meet(need: Need, dataset: Dataset) -> str | None:
    """Say with which columns a data set meets a need; None when it does not. Unpaired columns are domains alone."""
    try:
        return None if dataset.unpaired and need is not Need.DOMAINS else _MEETINGS[need](dataset)
    except DataError:
        return None


def find_source_and_target(
    dataset: Dataset, source: str | None = None, target: str | None = None
) -> tuple[Column, Column]:
    """Return the columns to learn from and to: those named, else the first label map or picture, and another picture.

    Raises DataError where there are no such two.
    """
    inputs = dataset.column(source) if source else dataset.first(Kind.LABELS, Kind.IMAGE)
    return inputs, dataset.column(target) if target else dataset.first(Kind.IMAGE, besides=[inputs.name])


def _pairs(dataset: Dataset) -> str:
    source, target = find_source_and_target(dataset)
    return f"{source.name} -> {target.name}"


def _domains(dataset: Dataset) -> str:
    first = dataset.first(Kind.IMAGE)
    return f"{first.name} <-> {dataset.first(Kind.IMAGE, besides=[first.name, *OTHER_TIMES]).name}"


def _labels(dataset: Dataset) -> str:
    return dataset.first(Kind.LABELS).name


def _labelled(dataset: Dataset) -> str:
    return f"{_labels(dataset)} -> {_pictures(dataset)}"


def _pictures(dataset: Dataset) -> str:
    return dataset.first(Kind.IMAGE).name


def _classes(dataset: Dataset) -> str | None:
    found = [column for column in dataset.columns.values() if column.kind is Kind.TEXT and column.values]
    return f"{_pictures(dataset)} by {found[0].name} ({len(found[0].values)} values)" if found else None


def _captions(dataset: Dataset) -> str:
    words = [column.name for column in dataset.columns.values() if column.kind is Kind.TEXT and not column.values]
    return f"{_pictures(dataset)} by {words[0] if words else dataset.first(Kind.TEXT).name}"


def _frames(dataset: Dataset) -> str | None:
    return f"{_pictures(dataset)} -> {NEXT}" if NEXT in dataset.columns else None


_MEETINGS: dict[Need, Callable[[Dataset], str | None]] = {
    Need.PICTURES: _pictures,
    Need.PAIRS: _pairs,
    Need.LABELS: _labels,
    Need.LABELLED: _labelled,
    Need.DOMAINS: _domains,
    Need.CLASSES: _classes,
    Need.CAPTIONS: _captions,
    Need.FRAMES: _frames,
}


def _trained() -> dict[str, MethodSpec]:
    return {name: method for name, method in current_registry().methods.items() if method.trainer}


def _other_way(method: MethodSpec, dataset: Dataset, learns: str) -> str:
    """Return how to train the other way round, for methods that can be told."""
    options = {field.name for field in msgspec.structs.fields(method.training_options)}
    if " -> " not in learns or not {"source", "target"} <= options:
        return ""
    source, target = find_source_and_target(dataset)
    if source.kind is Kind.LABELS:
        return ""
    return f"; the other way: --set source={target.name} --set target={source.name}"


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
