"""Layouts of data sets, recognised by looking: each sees a table of columns in a place, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from artkit.data.layouts.cityscapes import find_cityscapes
from artkit.data.layouts.classes import find_class_folders
from artkit.data.layouts.clips import find_clips
from artkit.data.layouts.columns import find_columns, find_endings
from artkit.data.layouts.place import Place, Table, find_pictures, key_files, list_pictures
from artkit.data.layouts.sheets import find_sheets
from artkit.data.layouts.splits import find_splits
from artkit.errors import DataError
from artkit.images import READABLE_SUFFIXES
from artkit.plugins import current_registry, resolve

__all__ = ["LAYOUTS", "WHOLE", "Layout", "Place", "Table", "find_splits", "find_tables", "key_files", "list_pictures"]

Layout = Callable[[Place], Table | None]

LAYOUTS: tuple[Layout, ...] = (
    find_cityscapes,
    find_clips,
    find_endings,
    find_sheets,
    find_columns,
    find_class_folders,
    find_pictures,
)
"""Core's, in the order in which they are tried."""

WHOLE = ""
"""The one split of a folder that has no splits."""


def find_tables(directory: Path) -> tuple[dict[str, Table], dict[str, Place]]:
    """Return the table and the place of each split of a folder, by split; of `WHOLE` where it has no splits.

    What is seen in the first split, "train" where there is one, is looked for in the others. Raises DataError.
    """
    whole = list_pictures(directory)
    places = find_splits(whole) or {WHOLE: whole}
    first = "train" if "train" in places else next(iter(places))
    if not places[first].pictures:
        raise DataError(f"{directory} holds no pictures that artkit reads ({', '.join(sorted(READABLE_SUFFIXES))}).")
    layout, table = _look(places[first])
    tables = {first: table}
    for split in places.keys() - {first}:
        table = layout(places[split]) or _look(places[split])[1]
        if set(table.columns) != set(tables[first].columns):
            raise DataError(
                f"the splits of {directory} differ: {first} has {', '.join(tables[first].columns)}; "
                f"{split} has {', '.join(table.columns)}."
            )
        tables[split] = table
    return tables, places


def _look(place: Place) -> tuple[Layout, Table]:
    """Return the first layout that sees a table, those of plugins before core's, which see one in any picture."""
    layouts = [*_plugged_in(), *LAYOUTS]
    return next((layout, table) for layout in layouts if (table := layout(place)))


def _plugged_in() -> list[Layout]:
    known = current_registry()
    return [resolve(spec.layout, known.origin(spec.name)) for spec in known.datasets.values() if spec.layout]
