"""What a model file says about itself, and how to read it without torch and without a single weight."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec

from artkit.errors import ModelError
from artkit.spec.header import FORMAT, ModelHeader

METADATA_KEY = "artkit"
HEADER_LIMIT = 16 * 2**20  # bytes; our headers are a few kB, so anything near this is damage or an attack


class _TensorEntry(msgspec.Struct):
    """Where one tensor lies: `data_offsets` are bytes from the end of the JSON."""

    data_offsets: tuple[Annotated[int, msgspec.Meta(ge=0)], Annotated[int, msgspec.Meta(ge=0)]]


def read_header(path: str | os.PathLike[str]) -> ModelHeader:
    """Return the header of the model file at `path`; reads the header's bytes alone and imports no torch.

    Raises ModelError when the file is missing, a folder, a pickle, no safetensors, cut short, without an artkit
    header, or written in a newer format.
    """
    path = Path(path)
    if path.is_dir():
        raise ModelError(f"{path} is a folder, not a model file. To export a run: artkit models export {path} FILE")
    try:
        with path.open("rb") as file:
            return _parse_artkit(_read_metadata(file, path), path)
    except FileNotFoundError:
        raise ModelError(f"There is no model file {path}. To see the models: artkit models") from None
    except OSError as error:
        raise ModelError(f"Cannot read the model file {path}: {error.strerror or error}.") from None


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
        with path.open("rb") as file:
            if is_pickle(file.read(8)):
                return True
            file.seek(0)
            return METADATA_KEY not in _read_metadata(file, path)
    except (ModelError, OSError):
        return False


def encode_header(header: ModelHeader) -> dict[str, str]:
    """Return the safetensors metadata that holds `header`."""
    return {METADATA_KEY: msgspec.json.encode(header).decode()}


def _read_metadata(file: BinaryIO, path: Path) -> dict[str, str]:
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
    _check_length(entries, size - 8 - length, path)
    return _decode(metadata, dict[str, str], path, "its metadata is not a table of strings")


def _check_length(entries: dict[str, msgspec.Raw], available: int, path: Path) -> None:
    """Compare the bytes after the header with what the tensors need: a download that stopped shows up here."""
    tensors = [_decode(raw, _TensorEntry, path, f"tensor '{name}' has no place") for name, raw in entries.items()]
    needed = max((entry.data_offsets[1] for entry in tensors), default=0)
    if available < needed:
        raise ModelError(f"{path} is cut short: its tensors need {needed} bytes and {available} are there.")


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
