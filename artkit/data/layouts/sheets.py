"""A|B sheets, as pix2pix has them: both pictures side by side in one file."""

from __future__ import annotations

from artkit.data.headers import read_header
from artkit.data.layouts.place import Place, Table, key_files

LOOKED_AT = 16
WIDE = 1.9  # times the height: two pictures at least nearly square


def find_sheets(place: Place) -> Table | None:
    """See `1.jpg 2.jpg` of even width, all about twice as wide as high; columns A and B are their halves.

    Some of the files are looked at. Wide pictures that are no sheets belong into a folder of their own (`image/1.jpg`).
    """
    if len(place.loose) < len(place.pictures):
        return None
    paths = list(place.pictures.values())
    headers = [read_header(path) for path in paths[:: max(1, len(paths) // LOOKED_AT)]]
    seen = [header for header in headers if header is not None]
    if not seen or not all(header.width >= WIDE * header.height and header.width % 2 == 0 for header in seen):
        return None
    files, left_out = key_files(place.pictures)
    return Table("A|B sheets", {"A": files, "B": files}, sheets=True, left_out=left_out)
