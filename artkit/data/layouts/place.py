"""Folder and file names that mean something in data sets as people have them; compared in lower case."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from artkit.images import READABLE_SUFFIXES
from artkit.spec import ClassSet

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


def find_pictures(place: Place) -> Table | None:
    """See pictures, in folders or not: one column `image`."""
    files, left_out = key_files(place.pictures)
    return Table("a folder of pictures", {"image": files}, left_out=left_out) if files else None


MAX_DEPTH = 6

Files = dict[str, Path]


@dataclass(frozen=True)
class Place:
    """The pictures of a folder, or of one split of it, by their names relative to it (`"label/1.png"`), sorted.

    `empty` are the subfolders without a picture.
    """

    pictures: Files
    empty: Mapping[str, Path] = field(default_factory=dict)

    def by_folder(self) -> dict[str, Files]:
        """Return the pictures below each first folder, by the rest of their names; those in no folder are left out."""
        folders: dict[str, Files] = {}
        for name, path in self.pictures.items():
            folder, slash, rest = name.partition("/")
            if slash:
                folders.setdefault(folder, {})[rest] = path
        return folders

    @property
    def loose(self) -> Files:
        """The pictures that are in no folder."""
        return {name: path for name, path in self.pictures.items() if "/" not in name}


@dataclass(frozen=True)
class Table:
    """What a layout makes of a place: `columns` of files by sample key, `text` columns of words by sample key.

    `layout` says it in words. Where `unpaired`, columns share no keys. In `sheets` the columns A and B are the halves
    of the same files. `classes` are the class sets of columns that bring one. Samples with the same `groups` entry (the
    frames of a clip) belong into one split. `left_out` says what was not taken, and why, a line each.
    """

    layout: str
    columns: Mapping[str, Files]
    text: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unpaired: bool = False
    sheets: bool = False
    classes: Mapping[str, ClassSet] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def list_pictures(root: Path) -> Place:
    """List every picture below `root`, `MAX_DEPTH` folders deep; hidden files and folders are passed over."""
    names: list[str] = []
    folders: list[str] = []
    for folder, below, files in os.walk(root, followlinks=True):
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        too_deep = len(relative.parts) >= MAX_DEPTH
        below[:] = [] if too_deep else [name for name in below if not name.startswith((".", "__"))]
        names += [str(relative / name) for name in files if _is_picture(name)]
        folders += [str(relative / name) for name in below]
    filled = {parent for name in names for parent in _parents(name)}
    empty = {name: root / name for name in sorted(folders) if name not in filled}
    return Place({name: root / name for name in sorted(names)}, empty)


def key_files(files: Mapping[str, Path], column: str = "") -> tuple[Files, tuple[str, ...]]:
    """Return files by sample key, and what is left out: the second of two files of one key.

    A key is the name without suffix, and without the column's name at its end: `1_A.png` in column A has the key `1`.
    """
    keyed: Files = {}
    left_out = []
    ending = re.compile(rf"[_-]{re.escape(column)}$", re.IGNORECASE) if column else None
    for name, path in files.items():
        key = name[: len(name) - len(path.suffix)]
        key = ending.sub("", key) if ending else key
        if key in keyed:
            left_out.append(f"{path} is left out: {keyed[key].name} has the same name")
        else:
            keyed[key] = path
    return keyed, tuple(left_out)


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in READABLE_SUFFIXES and not name.startswith(".")


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
