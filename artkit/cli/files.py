"""The pictures that a run reads and the files that it writes: inputs, output names, what must not be overwritten."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from artkit.buckets import STORES, BucketPath, Place, stamps_of, to_place
from artkit.engine import Job
from artkit.errors import ImageError, OutputError, UsageError, nearest
from artkit.images import READABLE_SUFFIXES, WRITABLE_SUFFIXES

STDIN = STDOUT = "-"
BUCKETS = tuple(f"{scheme}://" for scheme in STORES)

Source: TypeAlias = tuple[Place | bytes, Path]
"""A picture to start from (standard input as its bytes), and what it is called inside an output folder."""


def collect_sources(
    inputs: Sequence[str],
    output: str | None,
    stdin: Callable[[], bytes],
    keep: Callable[[Path], bool] | None = None,
) -> list[Source]:
    """List the pictures that `inputs` name; a folder gives every picture below it, except those under `output`.

    With `keep`, only those are listed whose name inside the output folder it says yes to.
    Raises ImageError for a folder without pictures and for a single file that is not there (among several, a missing
    one fails alone), UsageError for standard input given twice.
    """
    if inputs.count(STDIN) > 1:
        raise UsageError("'-' is standard input; it can be read only once.")
    folder = to_place(output) if output else None
    sources = [
        source for text in inputs for source in _sources_of(text, folder, stdin) if keep is None or keep(source[1])
    ]
    if len(sources) == 1 and isinstance(path := sources[0][0], Path) and not path.exists():
        raise ImageError(f"there is no picture {path}{_neighbours(path)}")
    return sources


def refuse_address(text: str) -> None:
    """Raise UsageError for what is an address of the web: artkit fetches no pictures."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        return
    if text.startswith(BUCKETS):
        raise UsageError(f"{text} is in a bucket: give inputs and -o there with --engine ray, other files from a disk.")
    raise UsageError(f"{text} is a web address, and artkit fetches no pictures: download it, and give the file.")


def _sources_of(text: str, output: Place | None, stdin: Callable[[], bytes]) -> Iterator[Source]:
    path = to_place(text)
    if text == STDIN:
        yield stdin(), Path("stdin.png")
    elif isinstance(path, BucketPath):
        yield from _sources_in(path, output)
    elif path.is_dir():
        found = _pictures_below(path, output)
        first = next(found, None)
        if first is None:
            raise ImageError(f"the folder {path} has no pictures in it ({', '.join(sorted(READABLE_SUFFIXES))}).")
        yield from ((file, file.relative_to(path)) for file in chain([first], found))
    else:
        yield path, Path(path.name)


def is_folder(text: str) -> bool:
    """Tell whether an input is a folder of pictures: in a bucket, what is not called like a picture."""
    place = to_place(text)
    if isinstance(place, BucketPath):
        return place.suffix.lower() not in READABLE_SUFFIXES
    return text != STDIN and place.is_dir()


def _sources_in(place: BucketPath, output: Place | None) -> Iterator[Source]:
    if place.suffix.lower() in READABLE_SUFFIXES and place.is_file():
        yield place, Path(place.name)
        return
    names = [name for name in place.below(READABLE_SUFFIXES) if not _is_within(place / name, output)]
    if not names:
        raise ImageError(f"there are no pictures at {place}/ ({', '.join(sorted(READABLE_SUFFIXES))}).")
    for name in sorted(names, key=_walked):
        yield place / name, Path(name)


def _is_within(place: BucketPath, output: Place | None) -> bool:
    return isinstance(output, BucketPath) and f"{place}".startswith(f"{output}/")


def _walked(name: str) -> list[tuple[bool, tuple[list[str | int], str]]]:
    """Return what sorts names as a walk through folders finds them: files before folders, each as people count."""
    parts = name.split("/")
    return [(index < len(parts) - 1, _counted(part)) for index, part in enumerate(parts)]


def _pictures_below(folder: Path, output: Place | None) -> Iterator[Path]:
    """Walk the folder in order, past hidden files and what an earlier run wrote to `output` inside it."""
    inside = isinstance(output, Path) and output.is_dir() and not output.samefile(folder)
    skipped = output.resolve() if inside and isinstance(output, Path) else None
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            (name for name in folders if not name.startswith(".") and (Path(root) / name).resolve() != skipped),
            key=_counted,
        )
        paths = [Path(root, name) for name in sorted(files, key=_counted) if not name.startswith(".")]
        yield from (path for path in paths if path.suffix.lower() in READABLE_SUFFIXES)


def _counted(name: str) -> tuple[list[str | int], str]:
    """Return what sorts names as people count: frame 2 before frame 10."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _neighbours(path: Path) -> str:
    from difflib import get_close_matches

    names = os.listdir(path.parent) if path.parent.is_dir() else []
    close = get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else "."


def describe_job(job: Job) -> dict[str, Any]:
    """Return a job as `--json` prints it."""
    return {
        "input": None if job.source is None else job.label,
        "seed": job.seed,
        "output": None if job.target is None else str(job.target),
    }


class Namer:
    """Names the results of a chain called `chain` (its methods joined by `-`).

    `output` is what `-o` said: None, a file, a folder or `-`. `suffixes` are the formats that the results survive.
    """

    def __init__(self, chain: str, output: str | None, suffixes: Collection[str]) -> None:
        self.chain, self.output, self.suffixes = chain, output, suffixes

    def jobs(self, sources: Sequence[Source], seeds: Sequence[int], *, folder: bool) -> list[Job]:
        """Return one job for each source and seed, or each seed when there is no source; targets have their names.

        `folder` says that the sources came from a folder, however many they are. Raises UsageError when `-o` does not
        fit the number of pictures, or two results would share a name.
        """
        jobs = [Job(content, None, seed, name) for content, name in sources for seed in seeds]
        jobs = jobs or [Job(None, None, seed, Path(f"{self.chain}-{seed}.png")) for seed in seeds]
        if len(jobs) == 1 and not folder and not self._is_folder():
            return [replace(jobs[0], target=self._single(jobs[0]))]
        root, several = self._folder(len(jobs)), len(seeds) > 1
        jobs = [replace(job, target=root / self._name(job, several)) for job in jobs]
        _refuse_clashes(jobs)
        return jobs

    def _is_folder(self) -> bool:
        return self.output is not None and (self.output.endswith(("/", os.sep)) or os.path.isdir(self.output))

    def _folder(self, count: int) -> Place:
        """Return the folder that `-o` names; complain when it names none."""
        pictures = "1 picture" if count == 1 else f"{count} pictures"
        if self.output is None:
            raise UsageError(
                f"a folder, several pictures, -n and --shard need a folder to write to ({pictures}): -o FOLDER/"
            )
        if self.output == STDOUT:
            raise UsageError(f"standard output takes one picture, not a folder or {pictures}; use -o FOLDER/")
        path = to_place(self.output)
        if path.is_file() or (path.suffix.lower() in WRITABLE_SUFFIXES and not self._is_folder()):
            raise UsageError(f"-o {path} is one file, where a folder is needed ({pictures}); use -o {path.stem}/")
        return path

    def _single(self, job: Job) -> Place | None:
        if self.output == STDOUT:
            return None
        if self.output is None:
            return job.name if job.source is None else Path(f"{job.name.stem}.{self.chain}.png")
        path = to_place(self.output)
        check_format(path, self.suffixes)
        return path

    def _name(self, job: Job, several: bool) -> Path:
        if job.source is None:
            return job.name
        suffix = job.name.suffix if job.name.suffix.lower() in self.suffixes else ".png"
        return job.name.with_name(f"{job.name.stem}{f'-{job.seed}' if several else ''}{suffix}")


def check_format(path: Place, suffixes: Collection[str]) -> None:
    """Raise UsageError when the format that a file's name asks for is not among `suffixes`."""
    suffix = path.suffix.lower()
    if not suffix:
        raise UsageError(f"what format should {path} have? Write {path}.png for a file, {path}/ for a folder.")
    if suffix in WRITABLE_SUFFIXES and suffix not in suffixes:
        raise UsageError(f"{path}: a label map does not survive '{suffix}'; use .png.")
    if suffix not in suffixes:
        raise UsageError(f"artkit does not write '{path.suffix}' files.{nearest(suffix, suffixes)}")


def _identity(path: Place) -> tuple[int, int] | str | None:
    """Tell a file from others by what it is, whatever link or spelling leads to it; None where there is none."""
    if isinstance(path, BucketPath):
        return str(path)
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_overwriting(targets: Iterable[Place], inputs: Iterable[Place], *, overwrite: bool) -> None:
    """Raise OutputError when a target is an input (always), or exists (unless `overwrite`)."""
    read = {_identity(path) for path in inputs} - {None}
    targets = list(targets)
    there, standing = stamps_of(targets), []
    for target in targets:
        if _identity(target) in read:
            raise OutputError(f"{target} is an input, and inputs are never overwritten; name another file with -o.")
        if target in there:
            standing.append(target)
    if standing and not overwrite:
        others = f" (and {len(standing) - 1} more)" if len(standing) > 1 else ""
        raise OutputError(f"{standing[0]}{others} exists already. Add --overwrite, or name another place with -o.")


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    seen: dict[Place | None, Job] = {}
    for job in jobs:
        if job.target in seen:
            raise UsageError(f"{seen[job.target].label} and {job.label} would both become {job.target}.")
        seen[job.target] = job
