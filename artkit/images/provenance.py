"""What a PNG remembers of its making: a JSON record in a text chunk called `artkit`.

PNG chunks: W3C PNG specification, sections 5.3 (layout) and 11.3.3 (tEXt, zTXt, iTXt). artkit writes tEXt; the
compressed and international forms are read too, because picture editors rewrite chunks as they please.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from artkit.errors import ImageError
from artkit.files import open_regular

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"artkit"
_MAX_RECORD = 1 << 20
_MAX_CHUNKS = 100_000


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return one PNG chunk: length, kind, data, checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def add_provenance(png: bytes, record: dict[str, Any]) -> bytes:
    """Return `png` (a PNG file without a record) with `record` in it, right after the header."""
    header_end = len(SIGNATURE) + 25
    text = json.dumps(record, sort_keys=True, separators=(",", ":")).encode("ascii")
    return png[:header_end] + png_chunk(b"tEXt", KEYWORD + b"\0" + text) + png[header_end:]


def read_provenance(source: Path | str | BinaryIO) -> dict[str, Any] | None:
    """Return the record in a PNG (a path or a seekable binary file), or None when there is none that can be read.

    Reads chunk headers only, and no record above 1 MiB. Raises ImageError when the path cannot be opened.
    """
    if isinstance(source, (str, Path)):
        try:
            with open_regular(source) as stream:
                return read_provenance(stream)
        except OSError as error:
            raise ImageError(f"Cannot read {source}: {error.strerror}.") from None
        except ValueError:  # a NUL in the name
            raise ImageError(f"Cannot read {str(source)!r}: that is no file name.") from None
    source.seek(0)
    text = _find_record(source) if source.read(len(SIGNATURE)) == SIGNATURE else None
    try:
        record = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _find_record(stream: BinaryIO) -> bytes | None:
    for _ in range(_MAX_CHUNKS):
        header = stream.read(8)
        if len(header) < 8 or header[4:] == b"IEND":
            return None
        length, kind = struct.unpack(">I4s", header)
        if kind not in (b"tEXt", b"zTXt", b"iTXt") or length > _MAX_RECORD:
            stream.seek(length + 4, 1)
            continue
        keyword, _, rest = stream.read(length).partition(b"\0")
        if keyword == KEYWORD:
            return _chunk_text(kind, rest)
        stream.seek(4, 1)
    return None


def _chunk_text(kind: bytes, rest: bytes) -> bytes | None:
    """Return the text that follows a chunk's keyword, decompressed within the limit."""
    compressed = kind == b"zTXt"
    if kind == b"iTXt":
        compressed = rest[:1] == b"\x01"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    elif compressed:
        rest = rest[1:]
    if not compressed:
        return rest
    try:
        return zlib.decompressobj().decompress(rest, _MAX_RECORD)
    except zlib.error:
        return None
