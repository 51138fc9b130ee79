"""Reading a picture from anything that holds one."""

from __future__ import annotations

import difflib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from artkit.errors import ImageError, nearest
from artkit.images.arrays import holds_labels, labels_from_tensor, picture_from_array, picture_from_tensor
from artkit.images.classes import ClassSet
from artkit.images.conversion import convert
from artkit.images.decoding import Decoding, decode, decoding_errors, pillow_levels
from artkit.images.picture import Picture
from artkit.images.provenance import read_provenance
from artkit.spec import Kind


def read_picture(
    source: Any, *, kind: Kind = Kind.IMAGE, classes: ClassSet | None = None, at_least: int = 0
) -> Picture:
    """Read one picture as `kind`.

    `source` is a path, the bytes of a file, a binary file, a Pillow image, a NumPy array (H, W), (H, W, 3) or
    (H, W, 4), a tensor (3, H, W) or (1, 3, H, W), or a Picture. Orientation and colour profile are applied, alpha is
    kept aside, 16 bits are remembered; of an animation the first frame is taken. Labels come from class colours or, in
    grey, from class indices (integer arrays too) and need `classes`, unless they are an integer array. With `at_least`
    a JPEG file may be decoded at a half, a quarter or an eighth of its size, its shortest side not below so many
    pixels: for those who will resize it. Raises ImageError with one line for everything that cannot be read so.
    """
    if kind is Kind.LABELS and isinstance(source, (np.ndarray, Tensor)):
        tensor = source if isinstance(source, Tensor) else torch.from_numpy(np.ascontiguousarray(source))
        if holds_labels(tensor):
            return Picture(labels_from_tensor(tensor), kind=Kind.LABELS, classes=classes)
    # Class colours must arrive as they are stored, so a label map's profile is not applied.
    picture = _read_image(source, Decoding(managed=kind is not Kind.LABELS, at_least=at_least))
    return convert(picture, kind, classes, [classes] if classes else [])


def _read_image(source: Any, how: Decoding) -> Picture:
    match source:
        case Picture():
            return source
        case np.ndarray():
            return picture_from_array(source)
        case Tensor():
            return picture_from_tensor(source)
        case Image.Image():
            with decoding_errors("The Pillow image"):
                return picture_from_array(pillow_levels(source, managed=how.managed))
        case str() | Path():
            return _read_path(Path(source), how)
        case bytes() | bytearray() | memoryview():
            return _read_stream(BytesIO(source), "The picture", how)
        case _ if hasattr(source, "read"):
            return _read_stream(_seekable(source), _stream_name(source), how)
    raise ImageError(f"No picture can be read from {type(source).__name__}: pass a path, bytes, an image or an array.")


def _read_path(path: Path, how: Decoding) -> Picture:
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not a picture.")
        with open(path, "rb") as stream:
            if not stream.seekable():
                stream = cast(Any, BytesIO(stream.read()))
            return replace(_read_stream(stream, str(path), how), stem=path.stem)
    except FileNotFoundError:
        raise ImageError(_missing(path)) from None
    except OSError as error:
        raise ImageError(f"Cannot read {path}: {error.strerror or error}.") from None
    except ValueError:  # a NUL in the name
        raise ImageError(f"Cannot read {str(path)!r}: that is no file name.") from None


def _read_stream(stream: BinaryIO, name: str, how: Decoding) -> Picture:
    picture = picture_from_array(decode(stream, name, how))
    return replace(picture, provenance=read_provenance(stream))


def _seekable(stream: BinaryIO) -> BinaryIO:
    """Return the stream itself when it can be rewound, else all it holds; a text stream is refused."""
    if hasattr(stream, "seekable") and stream.seekable():
        content = stream
    else:
        content = BytesIO(cast(bytes, _binary(stream.read())))
    content.seek(0)
    _binary(content.read(0))
    return content


def _binary(data: object) -> object:
    if not isinstance(data, bytes):
        raise ImageError("The file is open as text; open it as binary: open(path, 'rb').")
    return data


def _stream_name(stream: object) -> str:
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) else "The picture"


def _missing(path: Path) -> str:
    """Say that a file is not there, and which ones in its folder are called nearly so."""
    if not path.parent.is_dir():
        return f"There is no file {path}: the folder {path.parent} does not exist."
    close = difflib.get_close_matches(path.name, (entry.name for entry in path.parent.iterdir()), n=2, cutoff=0.5)
    return f"There is no file {path}.{nearest(path.name, close)}"
