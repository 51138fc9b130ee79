"""Mutations of files: bytes, spans and words changed, and checksums of PNGs repaired, so that damage goes deep."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Sequence

PNG = b"\x89PNG\r\n\x1a\n"
NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
WORDS = (
    *(b"\0", b"\n", b"\r\n", b"/", b"..", b"-1", b"1e999", b"nan", b"9" * 40, b'"', b"[", b"]", b"{", b"}", b"()"),
    *(b"null", b"true", b"\xff\xfe", "\u202e".encode(), "\u00b2".encode(), b",", b"#", b"=", b"\\", b"\x1b[2J"),
)


def mutate(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of `seeds`, changed in one to six ways; small files are preferred by none of them."""
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        data = chance.choice(_WAYS)(data, chance, seeds)
    return repair_png(data) if data.startswith(PNG) and chance.random() < 0.6 else data


def repair_png(data: bytes) -> bytes:
    """Give the chunks of a PNG the checksums of what they hold."""
    parts, place = [PNG], len(PNG)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        chunk = data[place + 4 : place + 8 + length]
        if len(chunk) < 4 + length:
            break
        parts.append(data[place : place + 4] + chunk + struct.pack(">I", zlib.crc32(chunk)))
        place += 12 + length
    return b"".join(parts) + data[place:]


def _span(data: bytes, chance: random.Random, longest: int = 64) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.randint(1, longest))


def _flip(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 8)) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _near_the_start(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(3 if changed else 0):
        changed[chance.randrange(min(200, len(changed)))] = chance.randrange(256)
    return bytes(changed)


def _number(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    size, order = chance.choice((1, 2, 4, 8)), chance.choice(("little", "big"))
    number = chance.choice(NUMBERS) % 256**size
    start = chance.randrange(len(data) + 1)
    return data[:start] + number.to_bytes(size, order) + data[start + size :]


def _digits(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Put another number in the place of one that is written in digits."""
    places = [place for place, byte in enumerate(data[:20_000]) if 48 <= byte <= 57]
    if not places:
        return data
    start = end = chance.choice(places)
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    return data[:start] + str(chance.choice((*NUMBERS, -1, 10**30, 0.5))).encode() + data[end:]


def _delete(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _repeat(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance, 256)
    return data[:end] + data[start:end] * chance.choice((1, 2, 50)) + data[end:]


def _word(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance, 4)
    return data[:start] + chance.choice(WORDS) + data[chance.choice((start, end)) :]


def _nest(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, _ = _span(data, chance)
    return (
        data[:start]
        + chance.choice((b"[", b"{", b"(", b"a=[", b'{"a":')) * chance.choice((3, 300, 30_000))
        + data[start:]
    )


def _join(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _cut(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


_WAYS: tuple[Callable[[bytes, random.Random, Sequence[bytes]], bytes], ...] = (
    *(_flip, _flip, _near_the_start, _number, _number, _digits, _digits),
    *(_delete, _repeat, _word, _word, _nest, _join, _cut),
)
