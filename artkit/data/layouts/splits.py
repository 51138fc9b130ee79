"""Where the splits of a data set are: folders, beginnings of folder names, or folders inside the columns."""

from __future__ import annotations

import re
from collections.abc import Callable

from artkit.data.layouts.place import SPLITS, Files, Place

Parts = tuple[str, ...]
Rule = Callable[[Parts], tuple[str, Parts] | None]

_PREFIXED = re.compile(r"(train|val|test)(?:[_-](.+)|([A-Z]))")


def find_splits(place: Place) -> dict[str, Place]:
    """Return the places of the splits "train", "val" and "test" that there are; nothing where there are none.

    Most pictures must be in splits: a clip called `train` among others is none.
    """
    for rule in (_split_folder, _split_prefix, _split_inside):
        found = _apply(rule, place)
        if sum(len(split.pictures) for split in found.values()) > len(place.pictures) / 2:
            return found
    return {}


def _split_folder(parts: Parts) -> tuple[str, Parts] | None:
    """`train/label/1.png`."""
    split = SPLITS.get(parts[0].lower())
    return (split, parts[1:]) if split else None


def _split_prefix(parts: Parts) -> tuple[str, Parts] | None:
    """`trainA/1.jpg` as CycleGAN has it, `train_A/1.jpg` and `train_label/1.png` as pix2pixHD has them."""
    match = _PREFIXED.fullmatch(parts[0])
    return (match[1], (match[2] or match[3], *parts[1:])) if match else None


def _split_inside(parts: Parts) -> tuple[str, Parts] | None:
    """`A/train/1.jpg`, the way towards sheets; `leftImg8bit/train/aachen/...`, Cityscapes."""
    split = SPLITS.get(parts[1].lower()) if len(parts) > 1 else None
    return (split, (parts[0], *parts[2:])) if split else None


def _apply(rule: Rule, place: Place) -> dict[str, Place]:
    pictures: dict[str, Files] = {}
    empty: dict[str, Files] = {}
    for files, found in ((place.pictures, pictures), (place.empty, empty)):
        for name, path in files.items():
            if files is place.pictures and "/" not in name:
                continue
            moved = rule(tuple(name.split("/")))
            if moved and moved[1]:
                found.setdefault(moved[0], {})["/".join(moved[1])] = path
    return {split: Place(files, empty.get(split, {})) for split, files in sorted(pictures.items())}
