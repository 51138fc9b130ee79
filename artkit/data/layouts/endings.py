"""Partners side by side in one folder, told apart by the end of their names: `Monet.jpg Monet_sem.png`."""

from __future__ import annotations

import re

from artkit.data.layouts.names import in_order, is_column
from artkit.data.layouts.place import Files, Place, Table

ENOUGH = 0.5  # share of the samples that have a partner
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
    if len(columns) < 2 or len(keys) < (1 + ENOUGH) * len(set(keys)):
        return None
    ordered = {column: columns[column] for column in in_order(columns)}
    return Table("partners by the end of their names", ordered, left_out=tuple(left_out))
