"""Label maps in palette and grey pictures, read by a table of 256 entries: one byte a pixel, and no colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from artkit.images.decoding import opened
from artkit.spec import ClassSet

LEVELS = 256
_MODES = ("1", "L", "P")


def read_indexed(stream: BinaryIO, name: str, classes: ClassSet) -> Tensor | None:
    """Return labels (1, H, W), uint8, of a palette or grey picture whose every colour is that of a class.

    Where all its colours are grey, and below the number of classes, they are indices. Both are what reading its colours
    and converting them gives, in a fraction of the memory. None for every other picture. Raises ImageError.
    """
    with opened(stream, name) as image:
        if image.mode not in _MODES or image.has_transparency_data:
            return None
        image = image.convert("L") if image.mode == "1" else image
        return _look_up(ImageOps.exif_transpose(image), [classes], _classes_or_indices)[0]


def read_label_map(stream: BinaryIO, name: str, known: Sequence[ClassSet]) -> tuple[Tensor, ClassSet] | None:
    """Return labels (1, H, W), uint8, and their classes, of a palette picture in the colours of a `known` class set.

    For readers who did not ask for labels: grey levels are no indices to them.
    None for every other picture. Raises ImageError.
    """
    with opened(stream, name) as image:
        if image.mode != "P" or image.has_transparency_data:
            return None
        labels, classes = _look_up(ImageOps.exif_transpose(image), known, _classes_of)
        return None if labels is None or classes is None else (labels, classes)


def _look_up(
    image: Image.Image, known: Sequence[ClassSet], find: Callable[[np.ndarray, ClassSet], list[int] | None]
) -> tuple[Tensor, ClassSet] | tuple[None, None]:
    """Return the labels of an 8-bit picture, and the first class set in which `find` knows all its colours."""
    used = np.flatnonzero(image.histogram()[:LEVELS])
    colours = _colours(image)[used]
    for classes in known:
        found = find(colours, classes) if len(classes) <= LEVELS else None
        if found is not None:
            table = np.zeros(LEVELS, np.uint8)
            table[used] = found
            return torch.from_numpy(table[np.asarray(image)])[None], classes
    return None, None


def _colours(image: Image.Image) -> np.ndarray:
    """Return the colours (256, 3) of an 8-bit picture's levels."""
    swatch = image.crop((0, 0, 16, 16))
    swatch.frombytes(bytes(range(LEVELS)))
    return np.asarray(swatch.convert("RGB")).reshape(LEVELS, 3)


def _classes_of(colours: np.ndarray, classes: ClassSet) -> list[int] | None:
    """Return the class of each colour; None where one has none."""
    known = {colour: index for index, colour in enumerate(classes.colours)}
    found = [known.get((int(red), int(green), int(blue))) for red, green, blue in colours]
    return [index for index in found if index is not None] if None not in found else None


def _classes_or_indices(colours: np.ndarray, classes: ClassSet) -> list[int] | None:
    """Return the class of each colour, or the grey levels that are indices of classes; None where neither fits."""
    found = _classes_of(colours, classes)
    are_indices = bool((colours == colours[:, :1]).all()) and int(colours.max()) < len(classes)
    return found if found is not None else colours[:, 0].tolist() if are_indices else None
