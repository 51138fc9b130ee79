"""Pictures that arrive: checked by their headers at once, and read when their turn comes to be computed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO

import numpy as np
import torch

from artkit.engine.inputs import Input, read_input
from artkit.errors import ImageError
from artkit.images import Picture
from artkit.images.decoding import opened
from artkit.spec import ClassSet, Kind

_INDEXED = ("1", "L", "P")


def check_picture(data: bytes, name: str) -> None:
    """Refuse what is no picture, or has too many pixels, by its header alone. Raises ImageError."""
    with opened(BytesIO(data), name):
        pass


def read_indices(data: bytes, classes: ClassSet | None) -> Picture:
    """Read an 8-bit grey or palette picture whose levels are class indices, whatever its colours. Raises ImageError."""
    if classes is None:
        raise ImageError("labels=index: no step of the chain has classes, so that indices mean nothing to it.")
    with opened(BytesIO(data), "The label map") as image:
        if image.mode not in _INDEXED:
            raise ImageError("labels=index: the label map must be an 8-bit grey or palette picture, an index a pixel.")
        levels = np.asarray(image, dtype=np.uint8)
    return Picture(torch.from_numpy(levels.copy())[None], kind=Kind.LABELS, classes=classes)


def read_upload(data: bytes, classes: ClassSet | None, *, indices: bool, name: str | None = None) -> Input:
    """Read the chain's input, called `name`; a map of class `indices` as such, else as `artkit run` reads it."""
    if not indices:
        return replace(read_input(data), name=name)
    return Input(read_indices(data, classes), name, hashlib.sha256(data).hexdigest())


def encode_indices(picture: Picture) -> bytes:
    """Return a label map as a palette PNG in the classes' colours, its levels their indices, in order.

    So it is read rightly by its levels and by its colours. Raises ImageError above 256 classes.
    """
    image = picture.to_pil()
    if picture.kind is not Kind.LABELS or image.mode not in _INDEXED:
        raise ImageError("Only label maps of up to 256 classes come as pictures of indices.")
    stream = BytesIO()
    image.save(stream, "PNG", compress_level=4)
    return stream.getvalue()
