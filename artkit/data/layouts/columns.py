"""Columns as folders with partners by name, or in one folder by the end of their names (`Monet.jpg Monet_sem.png`)."""

from __future__ import annotations

import re

from artkit.data.layouts.place import INSTANCES, Files, Place, Table, in_order, is_column, key_files

PARTNERED = 0.5  # share of the samples that have a partner
_ENDED = re.compile(r"(.+)[_-]([A-Za-z]+)")


def find_endings(place: Place) -> Table | None:
    """See `1.jpg 1_sem.png` or `1_A.png 1_B.png`: a column an ending; files without one are the column `image`."""
    columns: dict[str, Files] = {}
    left_out = []
    for name, path in place.loose.items():
        stem = name[: len(name) - len(path.suffix)]
        match = _ENDED.fullmatch(stem)
        key, column = (match[1], match[2]) if match and is_column(match[2]) else (stem, "image")
        if columns.setdefault(column, {}).setdefault(key, path) is not path:
            left_out.append(f"{path} is left out: {columns[column][key].name} has the same name")
    keys = [key for files in columns.values() for key in files]
    if len(columns) < 2 or len(keys) < (1 + PARTNERED) * len(set(keys)):
        return None
    ordered = {column: columns[column] for column in in_order(columns)}
    return Table("partners by the end of their names", ordered, left_out=tuple(left_out))


ENOUGH = 0.5  # share of the smallest folder's names that the others have too


def find_columns(place: Place) -> Table | None:
    """See `A/1.jpg B/1.jpg`, `label/1.png photo/1.jpg`, or one folder.

    Names decide. Three or more folders whose files are merely numbered are columns only when one is called like a
    column: else the numbers are those of classes' pictures.
    """
    columns, left_out = _read(place)
    nested = any("/" in key for files in columns.values() for key in files)
    known = any(map(is_column, columns))
    if not columns or (nested and not known):
        return None
    if len(columns) == 1:
        return Table("one folder of pictures", columns, left_out=left_out)
    shared = share_of_partners(columns)
    if known and len(columns) > 2:
        paired = shared > 0
    else:
        paired = shared >= ENOUGH and (len(columns) == 2 or not _numbered(columns))
    if paired:
        return Table("one folder a column, partners by name", columns, left_out=left_out)
    if len(columns) == 2:
        return Table(f"two unpaired domains{_words(shared)}", columns, unpaired=True, left_out=left_out)
    return None


def share_of_partners(columns: dict[str, Files]) -> float:
    """Return how many keys all columns have, as a share of the smallest column's."""
    common = set.intersection(*(set(files) for files in columns.values()))
    return len(common) / min(len(files) for files in columns.values())


def _read(place: Place) -> tuple[dict[str, Files], tuple[str, ...]]:
    columns: dict[str, Files] = {}
    left_out: tuple[str, ...] = ()
    for folder, files in place.by_folder().items():
        if folder.lower() in INSTANCES:
            left_out += (f"{folder} is left out: instance numbers are no classes",)
            continue
        columns[folder], twice = key_files(files, folder)
        left_out += twice
    return {name: columns[name] for name in in_order(columns)}, left_out


def _numbered(columns: dict[str, Files]) -> bool:
    return all(key.isdecimal() for files in columns.values() for key in files)


def _words(shared: float) -> str:
    return f" ({shared:.0%} of the names are the same, too few for pairs)" if shared else ""
