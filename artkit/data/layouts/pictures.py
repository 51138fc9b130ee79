"""Any folder with pictures in it."""

from __future__ import annotations

from artkit.data.layouts.place import Place, Table, key_files


def find_pictures(place: Place) -> Table | None:
    """See pictures, in folders or not: one column `image`."""
    files, left_out = key_files(place.pictures)
    return Table("a folder of pictures", {"image": files}, left_out=left_out) if files else None
