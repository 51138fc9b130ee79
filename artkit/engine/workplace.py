"""Frames that a run has made, kept in a folder until the clip is whole, so that the same run goes on at the frame."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from artkit.errors import OutputError
from artkit.files import make_folder, write_atomically

NOTE, SIZE = "run.json", "size.json"
PIECE = 48
"""Frames that are packed as one piece."""

Pack = Callable[[Sequence[Path], Path], None]


class Workplace:
    """A hidden folder beside the clip that it is for: `.NAME.frames`.

    `run` is all that the frames depend on: what another run left there is thrown away. `done` counts the frames that
    were there, from the first on. With `pack`, called with frames and the place of a piece, so many frames at a time
    become a piece, so that a long movie's do not fill the disk. Raises OutputError where the folder cannot be made.
    """

    def __init__(self, target: Path, run: Mapping[str, Any], pack: Pack | None = None) -> None:
        self.folder, self._pack = target.with_name(f".{target.name}.frames"), pack
        note = json.dumps(run, sort_keys=True).encode()
        if not self._is_of(note):
            self.remove()
            make_folder(self.folder)
            write_atomically(self.folder / NOTE, note)
        self.pieces = sorted(self.folder.glob("*-*.mkv"))
        self._packed = int(re.findall(r"\d+", self.pieces[-1].name)[1]) if self.pieces else 0
        self.done = self._packed
        while self.frame(self.done).is_file():
            self.done += 1

    def frame(self, index: int) -> Path:
        """Return where a frame is kept, counted from 0."""
        return self.folder / f"{index:06}.png"

    @property
    def size(self) -> tuple[int, int] | None:
        """The (height, width) of the frames that are there, if any."""
        try:
            height, width = json.loads((self.folder / SIZE).read_bytes())
        except (OSError, ValueError):
            return None
        return int(height), int(width)

    def accept(self, index: int, size: tuple[int, int]) -> None:
        """Take note of a frame that is there, as are those before it."""
        if index == 0:
            write_atomically(self.folder / SIZE, json.dumps(size).encode(), overwrite=True)
        if self._pack is not None and index + 1 - self._packed >= PIECE:
            self._make_piece(index + 1)

    def finish(self, count: int) -> list[Path]:
        """Return the pieces that all frames are packed in, the last of them made now."""
        if count > self._packed:
            self._make_piece(count)
        return self.pieces

    def _make_piece(self, end: int) -> None:
        assert self._pack is not None
        frames = [self.frame(index) for index in range(self._packed, end)]
        piece = self.folder / f"{self._packed:08}-{end:08}.mkv"
        self._pack(frames, piece)
        self.pieces.append(piece)
        self._packed = end
        for frame in frames:
            frame.unlink(missing_ok=True)

    def remove(self) -> None:
        """Throw everything away: the clip is whole, or another run begins."""
        if self.folder.is_symlink() or self.folder.is_file():
            raise OutputError(f"{self.folder} is no folder, and frames are to be kept there: move it away.")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_of(self, note: bytes) -> bool:
        try:
            return (self.folder / NOTE).read_bytes() == note
        except OSError:
            return False
