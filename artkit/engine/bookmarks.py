"""Bookmarks in files: a step of a killed run goes on where it was, when the same run is started again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from artkit.errors import OutputError
from artkit.files import atomic_file, open_regular
from artkit.models.store import data_home
from artkit.translator import Bookmark

COST = 0.05  # share of the time that writing may take
FORGOTTEN = 30 * 24 * 3600  # seconds after which a bookmark that nobody came back for goes


class FileBookmark(Bookmark):
    """A state in a file named after all that it depends on; `find_name` is asked when a step first wants to know."""

    def __init__(self, find_name: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._find_name, self._clock, self._next = find_name, clock, 0.0
        self._path: Path | None = None

    def read(self) -> dict[str, Any] | None:
        """Return the state; None where there is none or it is damaged, which starts the step anew."""
        try:
            with open_regular(self._file()) as stream:
                state = torch.load(stream, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except Exception:  # whatever a damaged file makes of it
            self.remove()
            return None
        return state if isinstance(state, dict) else None

    def write(self, state: Callable[[], dict[str, Any]]) -> None:
        """Write the state, unless the last one was written too short a time ago for what it cost."""
        start = self._clock()
        if start < self._next:
            return
        path = self._file()
        with suppress(OutputError, OSError):  # a full disk is no reason to stop working
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path, overwrite=True) as stream:
                torch.save(state(), stream)
        end = self._clock()
        self._next = end + (end - start) / COST

    def remove(self) -> None:
        """Forget the state."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _file(self) -> Path:
        if self._path is None:
            self._path = data_home() / "unfinished" / f"{self._find_name()}.pt"
            forget(self._path.parent)
        return self._path


def forget(folder: Path, now: Callable[[], float] = time.time) -> None:
    """Remove bookmarks that are older than thirty days."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if now() - path.stat().st_mtime > FORGOTTEN:
                path.unlink()


def fingerprint(parts: Iterable[Any]) -> str:
    """Return hex digits that tell parts from others: tensors by all their values, the rest by its repr."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, Tensor):
            digest.update(repr((tuple(part.shape), str(part.dtype))).encode())
            digest.update(part.contiguous().numpy(force=True).tobytes())
        else:
            digest.update(repr(part).encode())
        digest.update(os.sep.encode())
    return digest.hexdigest()
