"""A|B sheets, as pix2pix has them: both pictures side by side in one file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from artkit.data.halves import is_sheet
from artkit.data.headers import read_header
from artkit.data.layouts.place import Files, Place, Table, key_files

SHEETS = "AB"
LOOKED_AT = 16
LOOKED_INTO, DOUBTFUL = 8, 4  # files; of so many, one may look like no sheet
_NAMED = re.compile(rf".+[_-]{SHEETS}", re.IGNORECASE)


def find_sheets(place: Place) -> Table | None:
    """See `1.jpg 2.jpg` of even width, not higher than wide, that look like sheets; columns A and B are their halves.

    Files called `1_AB.jpg`, or a folder `AB`, are sheets by their names, whatever they look like. Some are looked at.
    """
    pictures = _pictures(place)
    if not pictures or not (_are_named(place, pictures) or _look_so(list(pictures.values()))):
        return None
    files, left_out = key_files(pictures)
    return Table("A|B sheets", {"A": files, "B": files}, sheets=True, left_out=left_out)


def _pictures(place: Place) -> Files:
    """Return all pictures where they lie in one folder, or in one folder called `AB`; else nothing."""
    found = place.loose or place.by_folder().get(SHEETS, {})
    return found if len(found) == len(place.pictures) else {}


def _are_named(place: Place, pictures: Files) -> bool:
    return not place.loose or all(_NAMED.fullmatch(path.stem) for path in pictures.values())


def _look_so(paths: Sequence[Path]) -> bool:
    headers = [read_header(path) for path in _some(paths, LOOKED_AT)]
    seen = [header for header in headers if header is not None]
    if not seen or not all(header.width % 2 == 0 and header.width >= header.height for header in seen):
        return False
    doubts = 0
    some = _some(paths, LOOKED_INTO)
    for path in some:
        doubts += not is_sheet(path)
        if doubts > len(some) // DOUBTFUL:
            return False
    return True


def _some(paths: Sequence[Path], count: int) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // count)][:count]
