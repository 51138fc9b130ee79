"""Folder and file names that mean something in data sets as people have them; compared in lower case."""

from __future__ import annotations

from collections.abc import Iterable

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What split folders are called."""

LABELS = frozenset({"label", "labels", "label_map", "label_maps", "semantic", "sem", "seg", "segmentation"}) | {
    "annotations",
    "classes",
    "gt",
}
MASKS = frozenset({"mask", "masks", "matte"})
DOMAINS = frozenset({"a", "b"})
COLUMNS = LABELS | MASKS | DOMAINS
COLUMNS |= {"image", "images", "img", "photo", "photos", "picture", "pictures", "frame", "frames", "rgb", "render"}
COLUMNS |= {"input", "inputs", "source", "target", "targets", "output", "condition", "real", "painting", "paintings"}
COLUMNS |= {"edge", "edges", "sketch", "sketches", "line", "lines", "lineart", "depth", "normal", "normals", "pose"}
COLUMNS |= {"map", "maps", "grey", "gray", "colour", "color", "before", "after", "low", "high", "lr", "hr", "blur"}
"""What columns are called: folders of partners, or endings of file names (`1_image.jpg`, `1_sem.png`)."""

INPUTS = LABELS | {
    "a",
    "input",
    "inputs",
    "source",
    "condition",
    "before",
    "low",
    "lr",
    "blur",
    "grey",
    "gray",
    "frame",
}
INPUTS |= {"edge", "edges", "sketch", "sketches", "line", "lines", "lineart", "depth", "pose"}
"""Columns that are translated from rather than to."""

INSTANCES = frozenset({"inst", "instance", "instances"})
"""Instance numbers, which are neither pictures nor classes."""


def in_order(columns: Iterable[str]) -> list[str]:
    """Return the names of columns, sorted, those that are translated from first."""
    return sorted(columns, key=lambda name: (name.lower() not in INPUTS, name))


def is_column(name: str) -> bool:
    """Tell whether a folder's name, or the end of a file's name, is one that columns have."""
    return name.lower() in COLUMNS
