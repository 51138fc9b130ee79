"""Readers with a fault each, for the test that the fuzzing notices."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from artkit.errors import ArtkitError


class Target(NamedTuple):
    """See fuzz_targets."""

    suffix: str
    seeds: object
    read: object
    lines: int = 1


def seeds(folder: Path) -> list[bytes]:
    """Return one file."""
    return [b"0 sky 1 2 3\n"]


def raise_another_error(path: Path) -> None:
    """Break out."""
    raise ZeroDivisionError


def say_two_lines(path: Path) -> None:
    """Refuse in two lines."""
    raise ArtkitError("one\ntwo")


def take_memory(path: Path) -> None:
    """Ask for more than there is."""
    len(bytes(64 << 30))


def die(path: Path) -> None:
    """End the process."""
    os._exit(9)


TARGETS = {
    name: Target("txt", seeds, read)
    for name, read in {
        "error": raise_another_error,
        "lines": say_two_lines,
        "memory": take_memory,
        "death": die,
    }.items()
}
