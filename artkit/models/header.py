"""The model header and the tensor table of a model file, read without torch and without a single weight."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec

from artkit.errors import ModelError
from artkit.files import open_regular
from artkit.spec.header import FORMAT, ModelHeader

METADATA_KEY = "artkit"
HEADER_LIMIT = 16 * 2**20  # bytes; our headers are a few kB, so anything near this is damage or an attack


MAX_TENSORS = 20_000  # the largest networks of the field have a few thousand
ITEM_SIZES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}
"""Bytes of one number of each type that safetensors has and PyTorch can hold."""

_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class TensorEntry(msgspec.Struct, frozen=True):
    """One row of the tensor table: type and shape, and where the numbers lie, in bytes from the end of the header."""

    dtype: str
    shape: Annotated[tuple[_Count, ...], msgspec.Meta(max_length=16)]
    data_offsets: tuple[_Count, _Count]


@dataclass(frozen=True)
class Frame:
    """A model file but for its numbers: its header, and its tensors by name."""

    header: ModelHeader
    tensors: Mapping[str, TensorEntry]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: entry.shape for name, entry in self.tensors.items()}


def read_header(path: str | os.PathLike[str]) -> ModelHeader:
    """Return the header of the model file at `path`; reads the header's bytes alone and imports no torch.

    Raises ModelError as `read_frame` does.
    """
    return read_frame(path).header


def read_frame(path: str | os.PathLike[str]) -> Frame:
    """Return header and tensor table of the model file at `path`; reads no weight and imports no torch.

    What a network needs can be compared with the table before any memory is taken: the shapes are those of numbers
    that are in the file. Raises ModelError when the file is missing, a folder, a pipe, a pickle, no safetensors, cut
    short, without an artkit header, written in a newer format, or says of its tensors what is not so.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ModelError(f"{path} is a folder, not a model file. To export a run: artkit models export {path} FILE")
        with open_regular(path) as file:
            metadata, tensors = _read_frame(file, path)
            return Frame(_parse_artkit(metadata, path), tensors)
    except FileNotFoundError:
        raise ModelError(f"There is no model file {path}. To see the models: artkit models") from None
    except OSError as error:
        raise ModelError(f"Cannot read the model file {path}: {error.strerror or error}.") from None
    except ValueError:  # a NUL in the name
        raise ModelError(f"Cannot read the model file {str(path)!r}: that is no file name.") from None


def is_pickle(start: bytes) -> bool:
    """Tell by its first eight bytes whether a file is a pickle or an archive with one (`.pth`, `.pt`, `.ckpt`)."""
    is_zip = start.startswith(b"PK\x03\x04")
    return is_zip or (len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5 and start[2:8] != bytes(6))


def is_foreign(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file holds another program's weights: a pickle, or safetensors without artkit's header.

    False for whatever `read_header` has an error for.
    """
    path = Path(path)
    try:
        with open_regular(path) as file:
            if is_pickle(file.read(8)):
                return True
            file.seek(0)
            return METADATA_KEY not in _read_frame(file, path)[0]
    except (ModelError, OSError, ValueError):
        return False


def encode_header(header: ModelHeader) -> dict[str, str]:
    """Return the safetensors metadata that holds `header`."""
    return {METADATA_KEY: msgspec.json.encode(header).decode()}


def _read_frame(file: BinaryIO, path: Path) -> tuple[dict[str, str], dict[str, TensorEntry]]:
    """Read the safetensors frame: 8 bytes of little-endian length, that much JSON, then the tensors."""
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    _refuse_pickle(start, path)
    if len(start) < 8:
        raise ModelError(f"{path} is cut short: {size} bytes are too few for a model file.")
    (length,) = struct.unpack("<Q", start)
    if length > HEADER_LIMIT:
        raise ModelError(f"{path} is not a safetensors file: it announces a header of {length} bytes.")
    text = file.read(length)
    if len(text) < length:
        raise ModelError(f"{path} is cut short: its header needs {length} bytes and has {len(text)}.")
    entries = _decode(text, dict[str, msgspec.Raw], path, "its header is not JSON")
    metadata = entries.pop("__metadata__", msgspec.Raw(b"{}"))
    if len(entries) > MAX_TENSORS:
        raise ModelError(f"{path} is refused: it holds {len(entries)} tensors, and no network has over {MAX_TENSORS}.")
    tensors = {name: _decode(raw, TensorEntry, path, f"tensor '{name[:80]}'") for name, raw in entries.items()}
    _check_table(tensors, size - 8 - length, path)
    return _decode(metadata, dict[str, str], path, "its metadata is not a table of strings"), tensors


def _check_table(tensors: Mapping[str, TensorEntry], available: int, path: Path) -> None:
    """Compare the table with the bytes after it: a download that stopped shows up here, and a shape that is a lie."""
    needed = max((entry.data_offsets[1] for entry in tensors.values()), default=0)
    if available < needed:
        raise ModelError(f"{path} is cut short: its tensors need {needed} bytes and {available} are there.")
    for name, entry in tensors.items():
        start, end = entry.data_offsets
        if entry.dtype not in ITEM_SIZES:
            raise ModelError(f"{path} is damaged: its tensor '{name[:80]}' is of no known type ({entry.dtype[:20]!r}).")
        if ITEM_SIZES[entry.dtype] * math.prod(entry.shape) != end - start:
            numbers = f"{entry.dtype} {list(entry.shape[:8])}"
            raise ModelError(f"{path} is damaged: its tensor '{name[:80]}' is {numbers} in {end - start} bytes.")
    if sum(end - start for start, end in (entry.data_offsets for entry in tensors.values())) > available:
        raise ModelError(f"{path} is damaged: its tensors lie in each other's bytes.")


def _parse_artkit(metadata: dict[str, str], path: Path) -> ModelHeader:
    text = metadata.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{path} holds weights but no artkit header, so nothing says which method and network they belong to. "
            f"For weights of another program: artkit models import {path} --name NAME"
        )
    raw = _decode(text.encode(), dict[str, msgspec.Raw], path, "its artkit header is not JSON")
    version = _decode(raw.get("format", msgspec.Raw(b"1")), int, path, "its format is not a number")
    if version > FORMAT:
        raise ModelError(
            f"{path} is in model format {version} and this artkit reads up to {FORMAT}. Upgrade artkit to use it."
        )
    return _decode(text.encode(), ModelHeader, path, "its artkit header is damaged")


def _decode(text: bytes | msgspec.Raw, type_: Any, path: Path, problem: str) -> Any:
    try:
        return msgspec.json.decode(text, type=type_)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ModelError(f"{path} is not a model file artkit can use: {problem} ({error}).") from None


def _refuse_pickle(start: bytes, path: Path) -> None:
    if is_pickle(start):
        raise ModelError(
            f"{path} is a pickle (.pth, .pt, .ckpt), which can run code when opened, not a model file. "
            f"For weights of another program: artkit models import {path} --name NAME"
        )
