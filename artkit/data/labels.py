"""The class set of a folder's label maps: `classes.txt`, or the colours of a palette picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from artkit.errors import DataError, ImageError
from artkit.files import open_regular
from artkit.images import nearest_palette, read_classes_file, read_picture
from artkit.images.decoding import opened
from artkit.spec import ClassSet, LabelClass

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


VOID = ("void", "unlabelled", "unlabeled", "ignore", "unknown", "other")
INSTANCES_FROM = 1000  # Cityscapes: class * 1000 + number
INDEXED = ("L", "P", "1", "I", "I;16", "I;16B", "I;16L")


def load_labels(path: Path, classes: ClassSet) -> Tensor:
    """Load a label map as class indices, uint8 HW.

    Pixels of a grey or palette picture are class indices, unless its colours are the class colours; ids of 1000 and
    more are instance ids, `class * 1000 + number`. An index past the last class becomes the class called void,
    unlabelled or alike. In a picture in colour every pixel gets the class of the nearest colour: JPEG leaves others at
    borders. Raises DataError for indices that no class has, and for files that cannot be read.
    """
    indices = read_indices(path)
    if indices is None:
        return _labels_by_colour(path, classes)
    out_of_range = count_out_of_range(indices, classes)
    if not out_of_range:
        return torch.from_numpy(indices.astype(np.uint8))
    if _is_painted(path, classes):
        return _labels_by_colour(path, classes)
    void = find_void(classes)
    if void is None:
        raise DataError(
            f"{path} holds {_name(out_of_range)}, and there are only classes 0 to {len(classes) - 1}: add to "
            "classes.txt what is missing, or a class called 'void', which takes every other index."
        )
    return torch.from_numpy(np.where(indices < len(classes), indices, void).astype(np.uint8))


def read_indices(path: Path) -> np.ndarray | None:
    """Return the pixels of a grey or palette picture as class indices, integers HW; None for one in colour."""
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            if image.mode not in INDEXED:
                return None
            indices = np.asarray(image)
    except ImageError as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    return to_classes(indices)


def to_classes(ids: np.ndarray) -> np.ndarray:
    """Return the class indices of stored ids: of black and white, of bytes, of ids with instance numbers."""
    if ids.dtype.itemsize == 1:
        return ids.astype(np.uint8)
    return np.where(ids >= INSTANCES_FROM, ids // INSTANCES_FROM, ids)


def count_out_of_range(indices: np.ndarray, classes: ClassSet) -> dict[int, int]:
    """Return the indices that no class has, with how many pixels have each."""
    out_of_range = indices[indices >= len(classes)] if int(indices.max()) >= len(classes) else indices[:0]
    found, counts = np.unique(out_of_range, return_counts=True)
    return {int(index): int(count) for index, count in zip(found, counts, strict=True)}


def find_void(classes: ClassSet) -> int | None:
    """Return the class that takes what has no class of its own, if there is one."""
    names = [name.lower() for name in classes.names]
    return next((names.index(name) for name in VOID if name in names), None)


def _is_painted(path: Path, classes: ClassSet) -> bool:
    """Tell whether every pixel has the colour of a class: a palette whose order is an editor's, or grey levels."""
    from artkit.images import match_palette

    return match_palette(_read_image(path), classes)[1] == 1


def _labels_by_colour(path: Path, classes: ClassSet) -> Tensor:
    return nearest_palette(_read_image(path), classes)[0].to(torch.uint8)


def _read_image(path: Path) -> Tensor:
    try:
        return read_picture(path).tensor
    except ImageError as error:
        raise DataError(str(error)) from error


def _name(out_of_range: dict[int, int]) -> str:
    words = ", ".join(map(str, list(out_of_range)[:5])) + (", ..." if len(out_of_range) > 5 else "")
    return f"the class {words}" if len(out_of_range) == 1 else f"the classes {words}"
