"""What is wrong with one split of a folder of data, a line a fault, at most 20 lines of a sort."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from artkit.data.batches import advise_load
from artkit.data.dataset import Column
from artkit.data.folder import FolderDataset
from artkit.data.inspecting import Facts, find_near_duplicates, inspect_labels, inspect_picture
from artkit.data.labels import find_void
from artkit.data.layouts import WHOLE, recognise
from artkit.data.layouts.place import LABELS
from artkit.data.needs import list_trainable, list_untrainable
from artkit.errors import DataError
from artkit.spec import Kind

MAX_LISTED = 20
MAX_NAMED = 5
OFF_PALETTE = 0.0005  # a share of pixels too small to matter

Columns = Mapping[str, Mapping[str, Facts]]


def find_faults(dataset: FolderDataset, inspected: Columns) -> list[str]:
    """Return the faults of a split whose files have been looked into."""
    found = list_some(_unreadable(inspected), "unreadable files")
    found += list_some(_unmatched(dataset), "without partners")
    found += list_some(_unequal(dataset, inspected), "of unequal sizes")
    found += list_some(dataset.table.left_out, "left out")
    found += list_some(_captions(dataset), "about captions")
    for name in dataset.table.columns:
        facts = [facts for facts in inspected[name].values() if not facts.error]
        found += [f"{name} ({dataset.split}): {words}" for words in _column_faults(dataset, name, facts)]
    return found


def list_some(lines: Iterable[str], sort: str) -> list[str]:
    """Return the first `MAX_LISTED` lines, and how many more there are."""
    listed = list(lines)
    more = len(listed) - MAX_LISTED
    return listed if more <= 0 else [*listed[:MAX_LISTED], f"... and {more} more {sort}"]


def _unreadable(inspected: Columns) -> list[str]:
    return sorted({facts.error for files in inspected.values() for facts in files.values()} - {""})


def _unmatched(dataset: FolderDataset) -> Iterator[str]:
    for key, missing in dataset.unmatched.items():
        yield f"{key} has no partner in {', '.join(missing)} ({dataset.split})"


def _unequal(dataset: FolderDataset, inspected: Columns) -> Iterator[str]:
    if dataset.unpaired:
        return
    for key in dataset.stems:
        facts = {name: files[key] for name, files in inspected.items() if key in files}
        sizes = {name: found.size for name, found in facts.items() if not found.error}
        if len(set(sizes.values())) > 1:
            described = ", ".join(f"{name} {width}x{height}" for name, (width, height) in sizes.items())
            yield f"{key}: its pictures differ in size: {described}"


def _captions(dataset: FolderDataset) -> Iterator[str]:
    yield from (f"{name} has a row of captions and no picture" for name in dataset.captions_without_picture)
    yield from (f"{key} has no row of captions ({dataset.split})" for key in dataset.uncaptioned)


def _column_faults(dataset: FolderDataset, name: str, facts: list[Facts]) -> Iterator[str]:
    column = dataset.columns[name]
    yield from _mixed_families(facts)
    if column.kind is Kind.LABELS and column.classes is not None:
        yield from _out_of_range(facts, find_void(column.classes))
        yield from _off_palette(facts)
    elif name.lower() in LABELS and facts and all(found.family == "grey" for found in facts):
        yield "these look like class indices, and no classes.txt (index name R G B a line) says what they mean"


def _mixed_families(facts: list[Facts]) -> Iterator[str]:
    families = defaultdict(list)
    for found in facts:
        families[found.family].append(found)
    typical = max(families, key=lambda family: len(families[family]), default="")
    for family, members in families.items():
        if family != typical:
            yield f"{len(members)} of {len(facts)} are {family} among {typical}: {_names(members)}"


def _out_of_range(facts: list[Facts], void: int | None) -> Iterator[str]:
    members = [found for found in facts if found.out_of_range]
    if members and void is None:
        pixels = Counter[int]()
        for found in members:
            pixels.update(found.out_of_range)
        ids = ", ".join(map(str, islice(sorted(pixels), MAX_NAMED))) + (", ..." if len(pixels) > MAX_NAMED else "")
        share = sum(pixels.values()) / sum(found.size[0] * found.size[1] for found in facts)
        strange = f"classes that classes.txt does not have ({ids}; {share:.2%} of all pixels)"
        yield f"{len(members)} of {len(facts)} hold {strange}: {_names(members)}"


def _off_palette(facts: list[Facts]) -> Iterator[str]:
    members = sorted(
        (found for found in facts if found.off_palette > OFF_PALETTE), key=lambda found: -found.off_palette
    )
    if members:
        shares = sum(found.off_palette for found in facts) / len(facts)
        worst = f"{members[0].path.name} {members[0].off_palette:.1%}"
        yield (
            f"{len(members)} of {len(facts)} hold colours of no class ({shares:.1%} of all pixels, at most {worst}); "
            "each such pixel gets the nearest class"
        )


def _names(members: list[Facts]) -> str:
    names = ", ".join(found.path.name for found in members[:MAX_NAMED])
    return names + (f" and {len(members) - MAX_NAMED} more" if len(members) > MAX_NAMED else "")


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
        chosen = set(dataset.keys[name]).union(dataset.unmatched)
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
