"""Arrays and tensors from outside, checked and brought to the house's convention."""

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
from artkit.files import open_regular
from artkit.images.conversion import convert
from artkit.images.decoding import Decoding, decode, decoding_errors, pillow_levels
from artkit.images.indexed import read_indexed
from artkit.images.picture import Picture
from artkit.images.provenance import read_provenance
from artkit.spec import ClassSet, Kind

_SLACK = 1e-3  # resampling overshoots a little; more than this is another value range


def picture_from_array(array: np.ndarray, stem: str = "picture") -> Picture:
    """Make an image of an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    uint8, uint16 (a 16-bit picture), bool, or floats in [0, 1]; the fourth channel is alpha. Raises ImageError.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        channels_first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        hint = " Channels come last: array.transpose(1, 2, 0)." if channels_first else ""
        raise ImageError(f"An array must be (H, W), (H, W, 3) or (H, W, 4), not {tuple(array.shape)}.{hint}")
    array = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])  # torch warns of arrays that it may not write
    if array.dtype not in (np.uint8, np.uint16, np.bool_) and array.dtype.kind != "f":
        raise ImageError(f"An array must be uint8, uint16, bool or float in [0, 1], not {array.dtype}.")
    return picture_from_tensor(torch.from_numpy(array).permute(2, 0, 1), stem)


def picture_from_tensor(tensor: Tensor, stem: str = "picture") -> Picture:
    """Make an image of a tensor (C, H, W) or (1, C, H, W), C one of 1, 3, 4; types as for `picture_from_array`."""
    _check_dense(tensor)
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim == 3:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim == 4 and tensor.shape[0] != 1:
        raise ImageError(f"A tensor of one picture is wanted, not a batch of {tensor.shape[0]}. Pass them one by one.")
    if tensor.ndim != 4 or tensor.shape[1] not in (1, 3, 4):
        raise ImageError(f"A tensor must be (3, H, W) or (1, 3, H, W), not {tuple(tensor.shape)}.")
    if 0 in tensor.shape:
        raise ImageError(f"A picture needs at least one pixel; this tensor is {tuple(tensor.shape)}.")
    bits = 16 if tensor.dtype == torch.uint16 else 8
    values = _unit_range(tensor)
    alpha = values[:, 3:].clone() if values.shape[1] == 4 else None
    colours = values.expand(1, 3, *values.shape[2:]) if values.shape[1] == 1 else values[:, :3]
    return Picture(colours.contiguous(), alpha=alpha, bits=bits, stem=stem)


def _check_dense(tensor: Tensor) -> None:
    """Refuse tensors without a number for every pixel in memory."""
    if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized:
        what = "a meta" if tensor.is_meta else "a quantised" if tensor.is_quantized else "a sparse"
        raise ImageError(f"A picture is a dense tensor, with a number for every pixel, and this is {what} one.")


def labels_from_tensor(tensor: Tensor) -> Tensor:
    """Bring integer labels (H, W) or (1, H, W) to int64 (1, H, W). Raises ImageError for another shape or type."""
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise ImageError(f"Labels are integers, one class index a pixel, not {_type_name(tensor)}.")
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim != 3 or tensor.shape[0] != 1:
        raise ImageError(f"Labels must be (H, W) or (1, H, W), not {tuple(tensor.shape)}.")
    return tensor.to(torch.int64)


def holds_labels(tensor: Tensor) -> bool:
    """Tell whether a tensor has the shape and type of labels, not of a picture."""
    one_plane = tensor.ndim == 2 or (tensor.ndim == 3 and tensor.shape[0] == 1)
    return one_plane and not tensor.is_floating_point() and tensor.dtype != torch.bool


def _unit_range(tensor: Tensor) -> Tensor:
    """Return float32 in [0, 1], in memory of its own."""
    if tensor.dtype in (torch.uint8, torch.uint16):
        # One channel at a time, parted while it is small: parting floats takes several times as long.
        values = torch.empty(tensor.shape, dtype=torch.float32, device=tensor.device)
        for channel in range(tensor.shape[1]):
            values[:, channel] = tensor[:, channel].contiguous()
        return values.div_(torch.iinfo(tensor.dtype).max)
    if tensor.dtype == torch.bool:
        return tensor.to(torch.float32)
    if not tensor.is_floating_point():
        raise ImageError(f"A tensor must be uint8, uint16, bool or float in [0, 1], not {_type_name(tensor)}.")
    values = tensor.detach().to(torch.float32, copy=True)
    low, high = (float(value) for value in values.aminmax())
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # NaN fails too
        hint = " Divide by 255." if 1 < high <= 255 and low >= 0 else ""
        hint = " Map [-1, 1] to it: (x + 1) / 2." if -1 - _SLACK <= low < 0 and high <= 1 + _SLACK else hint
        raise ImageError(f"Float pixels must lie in [0, 1]; these run from {low:.4g} to {high:.4g}.{hint}")
    return values.clamp_(0, 1)


def _type_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


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
    labels = kind is Kind.LABELS
    picture = _read_image(source, Decoding(not labels, at_least, classes if labels else None))
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
        with open_regular(path) as stream:
            return replace(_read_stream(stream, str(path), how), stem=path.stem)
    except FileNotFoundError:
        raise ImageError(_missing(path)) from None
    except OSError as error:
        raise ImageError(f"Cannot read {path}: {error.strerror or error}.") from None
    except ValueError:  # a NUL in the name
        raise ImageError(f"Cannot read {str(path)!r}: that is no file name.") from None


def _read_stream(stream: BinaryIO, name: str, how: Decoding) -> Picture:
    labels = read_indexed(stream, name, how.classes) if how.classes else None
    if labels is not None:
        picture = Picture(labels, kind=Kind.LABELS, classes=how.classes)
    else:
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
