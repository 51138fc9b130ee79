"""Matroska files (MKV, WebM) that are cut off: decoders read what is there, and end without an error."""

from __future__ import annotations

from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_LONGEST = 8  # bytes of an identifier or size


def missing_bytes(file: BinaryIO) -> int:
    """Return how many bytes a Matroska file announces beyond its end; 0 for a whole one, and for any other file.

    The segment, which holds everything, says how long it is (RFC 9559, section 4.5; RFC 8794 for the coding), unless it
    was written to where nobody could go back, as live streams are: those cannot be told from whole ones.
    """
    found = 0
    for wanted in (_EBML, _SEGMENT):
        file.seek(found)
        head = file.read(2 * _LONGEST)
        identifier, used = _number(head, keep_marker=True)
        size, more = _number(head[used:])
        if identifier != wanted or not more or size == 2 ** (7 * more) - 1:  # all ones: unknown
            return 0
        found += used + more + size
    return max(0, found - file.seek(0, 2))


def _number(head: bytes, keep_marker: bool = False) -> tuple[int, int]:
    """Return a number of variable length and its bytes: as many as there are zeros before the first one, and one."""
    width = 9 - head[0].bit_length() if head else _LONGEST + 1
    if width > min(_LONGEST, len(head)):
        return 0, 0
    number = int.from_bytes(head[:width])
    return number if keep_marker else number & (2 ** (7 * width) - 1), width
