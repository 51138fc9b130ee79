"""The input of a chain: its picture, decoded once, with the name and the hash that provenance records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from artkit.files import open_regular
from artkit.images import Picture, read_picture
from artkit.images.indexed import read_label_map
from artkit.images.provenance import read_provenance
from artkit.spec import ClassSet, Kind


@dataclass(frozen=True)
class Input:
    """A picture that was read: `name` is its file's, without the folder, `digest` the SHA-256 of the bytes it had.

    `frame` is its number in the file, from 1, where that is a clip.
    """

    picture: Picture
    name: str | None = None
    digest: str | None = None
    frame: int | None = None


def read_input(source: Any, known: Sequence[ClassSet] = ()) -> Input:
    """Read what `read_picture` reads, and an Input as it is; of files and bytes note name and hash. Raises ImageError.

    A Picture stays what it is: label maps stay label maps. A palette file in the colours of one of the `known` class
    sets is read as the label map that it is, at a byte a pixel.
    """
    if isinstance(source, Input):
        return source
    if isinstance(source, Picture):
        return Input(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return Input(read_picture(source), digest=hashlib.sha256(source).hexdigest())
    if not isinstance(source, str | Path):
        return Input(read_picture(source))
    path = Path(source)
    try:
        stream = open_regular(path)
    except (OSError, ValueError):
        return Input(read_picture(path))  # which says what is wrong
    with stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Input(replace(_read(stream, path, known), stem=path.stem), path.name, digest)


def _read(stream: BinaryIO, path: Path, known: Sequence[ClassSet]) -> Picture:
    found = read_label_map(stream, str(path), known) if known else None
    stream.seek(0)
    if found is None:
        return read_picture(stream)
    labels, classes = found
    return Picture(labels, kind=Kind.LABELS, classes=classes, provenance=read_provenance(stream))
