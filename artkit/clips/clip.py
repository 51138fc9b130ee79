"""Clips: frames in order, each with the time it is shown, one after the other out of a file or folder."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from artkit.files import digest_of


@dataclass(frozen=True)
class ClipFrame:
    """A frame: what `read_picture` reads, or None where it is only counted, and the seconds it is shown."""

    source: Any
    seconds: Fraction


class Clip(ABC):
    """Frames in order.

    `name` is what messages call it; `count` how many frames it has, None where nobody knows before they are all read,
    and `guess` about how many then; `plays` how often it is shown, 0 for ever. `file` is what it comes from, None for a
    folder.
    """

    name: str
    count: int | None
    guess: int | None = None
    plays: int = 0
    file: Path | None = None

    @cached_property
    def digest(self) -> str | None:
        """The SHA-256 of the file; None for a folder."""
        return digest_of(self.file)

    @property
    def key(self) -> list[Any]:
        """What tells the clip from others, as JSON holds it."""
        return [self.digest]

    @abstractmethod
    def frames(self, skip: int = 0) -> Iterator[ClipFrame]:
        """Yield the frames, the first `skip` of them without their pictures. Raises ImageError for a damaged one."""


class StillClip(Clip):
    """Pictures in files, each shown as long: a folder of frames."""

    def __init__(self, name: str, files: Sequence[Path], fps: Fraction) -> None:
        self.name, self.count, self._files, self._seconds = name, len(files), files, 1 / fps

    @property
    def key(self) -> list[Any]:
        """The files, their sizes and when they were written."""
        found = ((file, os.stat(file)) for file in self._files)
        return [[str(file), stat.st_size, stat.st_mtime_ns] for file, stat in found]

    def frames(self, skip: int = 0) -> Iterator[ClipFrame]:
        """Yield the files."""
        for index, file in enumerate(self._files):
            yield ClipFrame(None if index < skip else file, self._seconds)
