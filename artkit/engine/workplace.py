"""Frames that a run has made, kept in a folder until the clip is whole, so that the same run goes on at the frame."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artkit.errors import OutputError
from artkit.files import make_folder, write_atomically

NOTE = "run.json"


class Workplace:
    """A hidden folder beside the clip that it is for: `.NAME.frames`.

    `run` is all that the frames depend on: what another run left there is thrown away. `done` counts the frames that
    were there, from the first on. Raises OutputError where the folder cannot be made.
    """

    def __init__(self, target: Path, run: Mapping[str, Any]) -> None:
        self.folder = target.with_name(f".{target.name}.frames")
        note = json.dumps(run, sort_keys=True, indent=1).encode()
        if not self._is_of(note):
            self.remove()
            make_folder(self.folder)
            write_atomically(self.folder / NOTE, note)
        self.done = 0
        while self.frame(self.done).is_file():
            self.done += 1

    def frame(self, index: int) -> Path:
        """Return where a frame is kept, counted from 0."""
        return self.folder / f"{index:06}.png"

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
