"""Class folders, as WikiArt has them: every picture lies in the folder of its class."""

from __future__ import annotations

from artkit.data.layouts.place import Place, Table, key_files

CLASS_COLUMN = "class"


def find_class_folders(place: Place) -> Table | None:
    """See `impressionism/1.jpg baroque/1.jpg`, at any depth: columns `image` and `class`, a text of the folders' names.

    A folder around all of them is left out of the names.
    """
    if place.loose:
        return None
    images, left_out = key_files(place.pictures)
    depth = _common_depth(list(images))
    classes = {key: "/".join(key.split("/")[depth:-1]) for key in images}
    if len(set(classes.values())) < 2:
        return None
    return Table("class folders", {"image": images}, {CLASS_COLUMN: classes}, left_out=left_out)


def _common_depth(keys: list[str]) -> int:
    """Return how many first folders all keys share."""
    first, last = min(keys).split("/")[:-1], max(keys).split("/")[:-1]
    depth = 0
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    return depth
