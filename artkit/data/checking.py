"""Say what a folder of training data is, what is wrong with it, and what can be trained on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from artkit.data.dataset import Column
from artkit.data.duplicates import find_near_duplicates
from artkit.data.faults import find_faults, list_some
from artkit.data.folder import FolderDataset
from artkit.data.inspecting import Facts, inspect_labels, inspect_picture
from artkit.data.layouts import WHOLE, recognise
from artkit.data.needs import list_trainable, list_untrainable
from artkit.data.shrinking import advise_load
from artkit.errors import DataError
from artkit.spec import Kind

LOOKED_AT, USUAL_CROP = 64, 256  # files; px, the crop of most methods

Progress = Callable[[int, int], None]
Inspected = dict[str, dict[str, dict[str, Facts]]]  # split -> column -> key -> facts


def describe(directory: Path, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Describe a folder of data: layout, columns, samples and sizes, problems, and the methods that can train on it.

    Every file is opened and read. `progress` is called with the number of files done and of all. Raises DataError
    when there is nothing to train on.
    """
    splits, problems = _open_splits(directory)
    first = next(iter(splits.values()))
    inspected = _inspect(splits, progress)
    for split, dataset in splits.items():
        problems += find_faults(dataset, inspected[split])
    problems += list_some(_near_duplicates(splits, inspected), "near duplicates")
    return {
        "folder": str(directory),
        "layout": first.table.layout,
        "splits": "by content" if first.hashed else "given",
        "columns": {name: _words(column) for name, column in first.columns.items()},
        "samples": {split: _counts(dataset) for split, dataset in splits.items()},
        "sizes": _sizes(inspected),
        "problems": list(dict.fromkeys(problems)),
        "advice": _advise(first),
        "methods": list_trainable(str(directory), first),
        "unmet": list_untrainable(first),
    }


def _advise(dataset: FolderDataset) -> list[str]:
    """Return what is not wrong, and yet worth knowing before training."""
    sizes = dataset.sizes(LOOKED_AT)
    advice = [advise_load(sizes, USUAL_CROP), _advise_sheets(dataset, sizes)]
    return [words for words in advice if words]


def _advise_sheets(dataset: FolderDataset, sizes: list[tuple[int, int]]) -> str:
    """Say how to have pictures taken for sheets that are as wide as two, but do not look so."""
    plain = list(dataset.table.columns) == ["image"] and not dataset.table.text
    if not plain or not sizes or any(width != 2 * height for width, height in sizes):
        return ""
    return "pictures are twice as wide as high, and do not look like A|B sheets: if they are, call their folder AB"


def _open_splits(directory: Path) -> tuple[dict[str, FolderDataset], list[str]]:
    if not directory.is_dir():
        raise DataError(f"{directory} is no folder: give a folder of pictures.")
    tables, _ = recognise(directory)
    names = [name for name in ("train", "val", "test") if name in tables] or ["train", "val"]
    opened: dict[str, FolderDataset] = {}
    problems: list[str] = []
    for name in names:
        try:
            opened[name] = FolderDataset(directory, name)
        except DataError as error:
            if name == "train" or WHOLE not in tables:  # of few pictures none may be held out
                problems.append(str(error))
    if not opened:
        raise DataError(problems[0])
    return opened, problems


def _inspect(splits: dict[str, FolderDataset], progress: Progress) -> Inspected:
    """Look into every file once, several at a time."""
    files = {split: dict(_files(dataset)) for split, dataset in splits.items()}
    work = {
        path: splits[split].columns[name]
        for split, columns in files.items()
        for name, paths in columns.items()
        for path in paths.values()
    }
    looked = {}
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for done, facts in enumerate(workers.map(_look_into, work.values(), work), start=1):
            looked[facts.path] = facts
            progress(done, len(work))
    return {
        split: {name: {key: looked[path] for key, path in paths.items()} for name, paths in columns.items()}
        for split, columns in files.items()
    }


def _files(dataset: FolderDataset) -> Iterator[tuple[str, dict[str, Path]]]:
    """Return the files of each column that belong to this split; those without a partner belong to training."""
    for name, files in dataset.table.columns.items():
        chosen = set(dataset.keys[name]).union(dataset.lonely)
        yield name, {key: path for key, path in files.items() if not dataset.hashed or key in chosen}


def _look_into(column: Column, path: Path) -> Facts:
    if column.kind is Kind.LABELS and column.classes is not None:
        return inspect_labels(path, column.classes)
    return inspect_picture(path)


def _near_duplicates(splits: dict[str, FolderDataset], inspected: Inspected) -> Iterator[str]:
    """Name held-out pictures that are nearly one of the training pictures."""
    if "train" not in splits:
        return
    train = splits["train"]
    pictures = [name for name, column in train.columns.items() if column.kind is Kind.IMAGE]
    for name in pictures if train.unpaired else pictures[:1]:  # partners of near duplicates are near duplicates
        known = _thumbnails(inspected["train"][name])
        for split in [split for split in splits if split != "train"]:
            held = _thumbnails(inspected[split][name])
            for ours, theirs in find_near_duplicates(list(held.values()), list(known.values())):
                paths = (
                    list(held)[ours].relative_to(train.directory),
                    list(known)[theirs].relative_to(train.directory),
                )
                yield f"{paths[0]} ({split}) is nearly the same as {paths[1]} (train)"


def _thumbnails(inspected: Mapping[str, Facts]) -> dict[Path, np.ndarray]:
    return {facts.path: facts.thumbnail for facts in inspected.values() if facts.thumbnail is not None}


def _counts(dataset: FolderDataset) -> int | dict[str, int]:
    return {name: dataset.count(name) for name in dataset.columns} if dataset.unpaired else len(dataset)


def _words(column: Column) -> str:
    if column.classes is not None:
        return f"{column.kind}, {len(column.classes)} classes"
    return f"{column.kind}, {len(column.values)} values" if column.values else str(column.kind)


def _sizes(inspected: Inspected) -> dict[str, int]:
    """Return how many files have each size, the most frequent first."""
    columns = [files for parts in inspected.values() for files in parts.values()]
    sizes = {facts.path: facts.size for files in columns for facts in files.values() if not facts.error}
    counts = Counter(sizes.values())
    return {f"{width}x{height}": count for (width, height), count in counts.most_common()}
