"""Which pictures a run starts from: files, folders, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from artkit.errors import ImageError, UsageError
from artkit.images import READABLE_SUFFIXES

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """A picture to start from: `path` is None for standard input; `name` is where it goes inside an output folder."""

    name: Path
    path: Path | None = None

    def __str__(self) -> str:
        return "standard input" if self.path is None else str(self.path)

    def content(self) -> Path | bytes:
        """Return the file's path, or everything that standard input holds."""
        return sys.stdin.buffer.read() if self.path is None else self.path


def collect_sources(inputs: Sequence[str], output: Path | None) -> list[Source]:
    """List the pictures that `inputs` name; a folder gives every picture below it, except those under `output`.

    Raises ImageError for a folder without pictures and for a single file that is not there (among several, a missing
    one fails alone), UsageError for standard input given twice.
    """
    if inputs.count(STDIN) > 1:
        raise UsageError("'-' is standard input; it can be read only once.")
    sources = [source for text in inputs for source in _sources_of(text, output)]
    if len(sources) == 1 and (path := sources[0].path) and not path.exists():
        raise ImageError(f"there is no picture {path}{_neighbours(path)}.")
    return sources


def _sources_of(text: str, output: Path | None) -> Iterator[Source]:
    path = Path(text)
    if text == STDIN:
        yield Source(Path("stdin.png"))
    elif path.is_dir():
        found = [Source(file.relative_to(path), file) for file in _pictures_below(path, output)]
        if not found:
            raise ImageError(f"the folder {path} has no pictures in it ({', '.join(sorted(READABLE_SUFFIXES))}).")
        yield from found
    else:
        yield Source(Path(path.name), path)


def _pictures_below(folder: Path, output: Path | None) -> Iterator[Path]:
    """Walk the folder in order, past hidden files and what an earlier run wrote to `output` inside it."""
    skipped = output.resolve() if output and output.is_dir() and not output.samefile(folder) else None
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (Path(root) / name).resolve() != skipped
        )
        paths = [Path(root, name) for name in sorted(files) if not name.startswith(".")]
        yield from (path for path in paths if path.suffix.lower() in READABLE_SUFFIXES)


def _neighbours(path: Path) -> str:
    from difflib import get_close_matches

    names = os.listdir(path.parent) if path.parent.is_dir() else []
    close = get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""
