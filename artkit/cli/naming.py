"""Where results go: the names of output files, and what must not be written over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from artkit.cli.inputs import Source
from artkit.errors import OutputError, UsageError, nearest

STDOUT = "-"
WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
EXACT = (".png", ".tif", ".tiff")


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

    `output` is what `-o` said: None, a file, a folder or `-`. With `exact`, results are label maps: a format that
    loses detail is replaced by PNG.
    """

    def __init__(self, chain: str, output: str | None, *, exact: bool) -> None:
        self.chain, self.output, self.exact = chain, output, exact

    def tasks(self, sources: Sequence[Source], seeds: Sequence[int], *, folder: bool) -> list[Task]:
        """Name one task for each source and seed, or each seed when there is no source.

        `folder` says that the sources came from a folder, however many they are. Raises UsageError when `-o` does not
        fit the number of pictures, or two results would share a name.
        """
        count = max(len(sources), 1) * len(seeds)
        pairs = [(source, seed) for source in sources or [None] for seed in seeds]
        if not self._is_folder(count, folder):
            source, seed = pairs[0]
            return [Task(source, seed, self._single(source, seed))]
        root = Path(self.output or "")
        several = len(seeds) > 1
        tasks = [Task(source, seed, root / self._name(source, seed, several)) for source, seed in pairs]
        _refuse_clashes(tasks)
        return tasks

    def _is_folder(self, count: int, folder: bool) -> bool:
        """Decide whether `-o` names a folder; complain when it must and cannot."""
        if count == 1 and not folder:
            return self.output not in (None, STDOUT) and (self.output.endswith(("/", os.sep)) or os.path.isdir(self.output))
        if self.output is None:
            raise UsageError(f"{_pictures(count)} need a folder to go to: -o FOLDER/")
        if self.output == STDOUT:
            raise UsageError(f"standard output takes one picture, not {count}; use -o FOLDER/")
        path = Path(self.output)
        if path.is_file() or (path.suffix.lower() in WRITABLE and not path.exists()):
            raise UsageError(f"-o {path} is one file, and there may be {_pictures(count)}; use -o {path.stem}/")
        return True

    def _single(self, source: Source | None, seed: int) -> Path | None:
        if self.output == STDOUT:
            return None
        if self.output is None:
            return Path(f"{source.name.stem}.{self.chain}.png" if source else self._name(None, seed, True))
        path = Path(self.output)
        check_suffix(path, EXACT if self.exact else WRITABLE)
        return path

    def _name(self, source: Source | None, seed: int, several: bool) -> Path:
        if source is None:
            return Path(f"{self.chain}-{seed}.png")
        suffix = source.name.suffix if source.name.suffix.lower() in (EXACT if self.exact else WRITABLE) else ".png"
        return source.name.with_name(f"{source.name.stem}{f'-{seed}' if several else ''}{suffix}")


def check_suffix(path: Path, known: Sequence[str]) -> None:
    """Raise UsageError when artkit does not write the format that a file's name asks for."""
    if path.suffix.lower() in known:
        return
    if not path.suffix:
        raise UsageError(f"what format should {path} have? Write {path}.png for a file, {path}/ for a folder.")
    if path.suffix.lower() in WRITABLE:
        raise UsageError(f"{path}: a label map does not survive {path.suffix}; use .png.")
    raise UsageError(f"artkit does not write '{path.suffix}' files.{nearest(path.suffix.lower(), known)}")


def refuse_overwriting(targets: Iterable[Path], inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Raise OutputError when a target is an input (always), or exists (unless `overwrite`)."""
    read = {os.path.realpath(path) for path in inputs}
    standing = []
    for target in targets:
        if os.path.realpath(target) in read:
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
        reason = "a file has that name" if isinstance(error, FileExistsError) else (error.strerror or str(error)).lower()
        raise OutputError(f"cannot make the folder {folder}: {reason}.") from None


def _refuse_clashes(tasks: Sequence[Task]) -> None:
    seen: dict[Path | None, Task] = {}
    for task in tasks:
        if task.target in seen:
            raise UsageError(f"{seen[task.target].label} and {task.label} would both become {task.target}.")
        seen[task.target] = task


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
