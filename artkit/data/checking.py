"""Say what a folder of training data is, what is wrong with it, and what can be trained on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from artkit.data.folder import SPLITS, FolderDataset
from artkit.errors import ArtkitError, DataError
from artkit.plugins import registry
from artkit.spec import Kind

MAX_LISTED = 20


def describe(directory: Path, progress: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Describe a dataset folder: layout, columns, samples and sizes a split, problems, and commands that train on it.

    Every file is opened. `progress` is called after each sample. Raises DataError when there is no dataset at all.
    """
    splits = [name for name in SPLITS if (directory / name).is_dir()] or ["train", "val"]
    datasets, problems = {}, []
    for split in splits:
        try:
            datasets[split] = FolderDataset(directory, split)
        except DataError as error:
            problems.append(str(error))
    if not datasets:
        raise DataError(problems[0])
    sizes: set[tuple[int, int]] = set()
    for dataset in datasets.values():
        problems += _lonely(dataset)
        problems += _faults(dataset, sizes, progress)
    first = next(iter(datasets.values()))
    return {
        "folder": str(directory),
        "layout": "A|B sheets" if first.sheets else "one folder a column",
        "columns": {name: str(column.kind) for name, column in first.columns.items()},
        "samples": {split: len(dataset) for split, dataset in datasets.items()},
        "sizes": sorted(f"{width}x{height}" for height, width in sizes)[:MAX_LISTED],
        "problems": problems,
        "methods": _trainable(directory, first),
    }


def _faults(dataset: FolderDataset, sizes: set[tuple[int, int]], progress: Callable[[], None]) -> Iterator[str]:
    names = [name for name, column in dataset.columns.items() if column.kind is not Kind.TEXT]
    for index, stem in enumerate(dataset.stems):
        try:
            shapes = {name: tuple(pixels.shape[-2:]) for name, pixels in dataset.load(index, names).items()}  # type: ignore[union-attr]
        except ArtkitError as error:
            yield str(error)
        else:
            sizes |= set(shapes.values())
            if len(set(shapes.values())) > 1:
                described = ", ".join(f"{name} {width}x{height}" for name, (height, width) in shapes.items())
                yield f"{stem}: its pictures differ in size: {described}"
        progress()


def _lonely(dataset: FolderDataset) -> Iterator[str]:
    for stem, missing in dataset.lonely.items():
        yield f"{stem} has no partner in {', '.join(missing)} ({dataset.split})"


def _trainable(directory: Path, dataset: FolderDataset) -> list[dict[str, str]]:
    kinds = [column.kind for column in dataset.columns.values()]
    pictures = kinds.count(Kind.IMAGE) + kinds.count(Kind.LABELS)
    fits = {"pix2pix": pictures >= 2 and Kind.IMAGE in kinds, "semgan": Kind.LABELS in kinds, "touchup": pictures >= 2}
    return [
        {"method": name, "command": f"artkit train {name} {directory} -o runs/{name}"}
        for name, method in registry().methods.items()
        if method.trainer and fits.get(name, True)
    ]
