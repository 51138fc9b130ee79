"""Label maps in palette and grey pictures, read by a table of 256 entries: one byte a pixel, and no colour."""

from __future__ import annotations

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
    if len(classes) > LEVELS:
        return None
    with opened(stream, name) as image:
        if image.mode not in _MODES or image.has_transparency_data:
            return None
        image = ImageOps.exif_transpose(image)
        image = image.convert("L") if image.mode == "1" else image
        used = np.flatnonzero(image.histogram()[:LEVELS])
        found = _classes_of(_colours(image)[used], classes)
        if found is None:
            return None
        table = np.zeros(LEVELS, np.uint8)
        table[used] = found
        return torch.from_numpy(table[np.asarray(image)])[None]


def _colours(image: Image.Image) -> np.ndarray:
    """Return the colours (256, 3) of an 8-bit picture's levels."""
    swatch = image.crop((0, 0, 16, 16))
    swatch.frombytes(bytes(range(LEVELS)))
    return np.asarray(swatch.convert("RGB")).reshape(LEVELS, 3)


def _classes_of(colours: np.ndarray, classes: ClassSet) -> list[int] | None:
    """Return the class of each colour; None where one has none."""
    known = {colour: index for index, colour in enumerate(classes.colours)}
    found = [known.get((int(red), int(green), int(blue))) for red, green, blue in colours]
    exact = [index for index in found if index is not None]
    if len(exact) == len(found):
        return exact
    are_indices = bool((colours == colours[:, :1]).all()) and int(colours.max()) < len(classes)
    return colours[:, 0].tolist() if are_indices else None
