"""The class set of a folder's label maps: `classes.txt`, or the colours of a palette picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from artkit.errors import DataError, ImageError
from artkit.images import ClassSet, LabelClass, read_classes_file, read_picture

CLASSES_FILE, PALETTE_FILE = "classes.txt", "palette.png"
MAX_CLASSES = 256


def find_classes(directory: Path) -> ClassSet | None:
    """Return the class set of a folder, or None when nothing tells it. Raises DataError for a file that is wrong."""
    if (directory / CLASSES_FILE).is_file():
        classes = read_classes_file(directory / CLASSES_FILE)
    elif (directory / PALETTE_FILE).is_file():
        classes = read_palette(directory / PALETTE_FILE)
    else:
        return None
    if len(classes) > MAX_CLASSES:
        raise DataError(f"{directory} has {len(classes)} classes; artkit trains on at most {MAX_CLASSES}.")
    return classes


def read_palette(path: Path) -> ClassSet:
    """Make a class set of a picture's colours, in the order in which they come, row by row: `class0`, `class1`, ..."""
    try:
        pixels = read_picture(path).numpy().reshape(-1, 3)
    except ImageError as error:
        raise DataError(str(error)) from error
    colours, first = np.unique(pixels, axis=0, return_index=True)
    if len(colours) > MAX_CLASSES:
        raise DataError(f"{path} has {len(colours)} colours; a palette has one a class, {MAX_CLASSES} at most.")
    ordered = [tuple(map(int, colour)) for colour in colours[np.argsort(first)]]
    named = (LabelClass(f"class{index}", (red, green, blue)) for index, (red, green, blue) in enumerate(ordered))
    return ClassSet(path.resolve().parent.name, tuple(named))
