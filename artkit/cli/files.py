"""The pictures that a run reads and the files that it writes: inputs, output names, what must not be overwritten."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from artkit.errors import ImageError, OutputError, UsageError, nearest
from artkit.images import READABLE_SUFFIXES, WRITABLE_SUFFIXES

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


STDOUT = "-"


@dataclass(frozen=True)
class Task:
    """One picture to make: from `source` (None: a dream), with `seed`, into `target` (None: standard output)."""

    source: Source | None
    seed: int
    target: Path | None

    @property
    def label(self) -> str:
        """What to call the task in captions and messages."""
        return f"seed {self.seed}" if self.source is None else str(self.source)


class Namer:
    """Names the results of a chain called `chain` (its methods joined by `-`).

    `output` is what `-o` said: None, a file, a folder or `-`. `suffixes` are the formats that the results survive.
    """

    def __init__(self, chain: str, output: str | None, suffixes: Collection[str]) -> None:
        self.chain, self.output, self.suffixes = chain, output, suffixes

    def tasks(self, sources: Sequence[Source], seeds: Sequence[int], *, folder: bool) -> list[Task]:
        """Name one task for each source and seed, or each seed when there is no source.

        `folder` says that the sources came from a folder, however many they are. Raises UsageError when `-o` does not
        fit the number of pictures, or two results would share a name.
        """
        pairs = [(source, seed) for source in sources or (None,) for seed in seeds]
        if len(pairs) == 1 and not folder and not self._is_folder():
            source, seed = pairs[0]
            return [Task(source, seed, self._single(source, seed))]
        root, several = self._folder(len(pairs)), len(seeds) > 1
        tasks = [Task(source, seed, root / self._name(source, seed, several)) for source, seed in pairs]
        _refuse_clashes(tasks)
        return tasks

    def _is_folder(self) -> bool:
        return self.output is not None and (self.output.endswith(("/", os.sep)) or os.path.isdir(self.output))

    def _folder(self, count: int) -> Path:
        """Return the folder that `-o` names; complain when it names none."""
        pictures = "1 picture" if count == 1 else f"{count} pictures"
        if self.output is None:
            raise UsageError(f"a folder, several pictures or -n need a folder to write to ({pictures}): -o FOLDER/")
        if self.output == STDOUT:
            raise UsageError(f"standard output takes one picture, not a folder or {pictures}; use -o FOLDER/")
        path = Path(self.output)
        if path.is_file() or (path.suffix.lower() in WRITABLE_SUFFIXES and not self._is_folder()):
            raise UsageError(f"-o {path} is one file, where a folder is needed ({pictures}); use -o {path.stem}/")
        return path

    def _single(self, source: Source | None, seed: int) -> Path | None:
        if self.output == STDOUT:
            return None
        if self.output is None:
            return Path(f"{source.name.stem}.{self.chain}.png") if source else self._name(None, seed, True)
        path = Path(self.output)
        check_suffix(path, self.suffixes)
        return path

    def _name(self, source: Source | None, seed: int, several: bool) -> Path:
        if source is None:
            return Path(f"{self.chain}-{seed}.png")
        suffix = source.name.suffix if source.name.suffix.lower() in self.suffixes else ".png"
        return source.name.with_name(f"{source.name.stem}{f'-{seed}' if several else ''}{suffix}")


def check_suffix(path: Path, suffixes: Collection[str] = WRITABLE_SUFFIXES) -> None:
    """Raise UsageError when the format that a file's name asks for is not among `suffixes`."""
    suffix = path.suffix.lower()
    if not suffix:
        raise UsageError(f"what format should {path} have? Write {path}.png for a file, {path}/ for a folder.")
    if suffix in WRITABLE_SUFFIXES and suffix not in suffixes:
        raise UsageError(f"{path}: a label map does not survive '{suffix}'; use .png.")
    if suffix not in suffixes:
        raise UsageError(f"artkit does not write '{path.suffix}' files.{nearest(suffix, suffixes)}")


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell a file from others by what it is, whatever link or spelling leads to it; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_overwriting(targets: Iterable[Path], inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Raise OutputError when a target is an input (always), or exists (unless `overwrite`)."""
    read = {_identity(path) for path in inputs} - {None}
    standing = []
    for target in targets:
        if _identity(target) in read:
            raise OutputError(f"{target} is an input, and inputs are never overwritten; name another file with -o.")
        if os.path.lexists(target):
            standing.append(target)
    if standing and not overwrite:
        others = f" (and {len(standing) - 1} more)" if len(standing) > 1 else ""
        raise OutputError(f"{standing[0]}{others} exists already. Add --overwrite, or name another place with -o.")


def make_folder(folder: Path) -> None:
    """Create an output folder; raise OutputError when a file stands there or it may not be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (
            "a file has that name" if isinstance(error, FileExistsError) else (error.strerror or str(error)).lower()
        )
        raise OutputError(f"cannot make the folder {folder}: {reason}.") from None


def _refuse_clashes(tasks: Sequence[Task]) -> None:
    seen: dict[Path | None, Task] = {}
    for task in tasks:
        if task.target in seen:
            raise UsageError(f"{seen[task.target].label} and {task.label} would both become {task.target}.")
        seen[task.target] = task
