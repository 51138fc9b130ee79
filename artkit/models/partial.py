"""What has arrived of a download, and of which version of the file, so that another process can go on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec


class _Mark(msgspec.Struct):
    """Where a partial download came from; `version` is the server's mark of the file, an ETag or a date."""

    url: str
    version: str


@dataclass(frozen=True)
class Partial:
    """A file that grows at `path`, with the mark of what it is a part of in a file beside it."""

    path: Path

    def kept(self, url: str) -> tuple[int, str]:
        """Return how many bytes of `url` are here, and of which version; no bytes where that is not certain."""
        try:
            mark = msgspec.json.decode(self._mark.read_bytes(), type=_Mark)
            size = self.path.stat().st_size
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return 0, ""
        return (size, mark.version) if mark.url == url and mark.version else (0, "")

    def begin(self, url: str, version: str) -> None:
        """Start empty, as a part of that version of `url`."""
        self.discard()
        self.path.write_bytes(b"")
        self._mark.write_bytes(msgspec.json.encode(_Mark(url, version)))

    def discard(self) -> None:
        """Remove the file and its mark."""
        for path in (self.path, self._mark):
            with suppress(OSError):
                path.unlink()

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")
