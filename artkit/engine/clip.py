"""A chain over a clip: its frames are jobs like any others, all under one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from artkit import __version__
from artkit.chain.steps import Size
from artkit.clips import WRITABLE_MOVIE_SUFFIXES, Clip, write_animation, write_movie
from artkit.engine.inputs import Input, read_input
from artkit.engine.job import Job, look_back
from artkit.engine.runner import Runner
from artkit.engine.steady import Steadier
from artkit.engine.stream import JobResult, run_jobs
from artkit.engine.workplace import Workplace
from artkit.errors import ArtkitError, ImageError
from artkit.images import Picture, read_picture, read_provenance
from artkit.motion.flow import estimator

OF_ONE = ("input", "input_hash", "before", "before_hashes")
"""What the record of a frame says that holds for it alone where the frames are files."""


def describe_run(runner: Runner, clip: Clip, seed: int, size: Size | None, steady: float = 0.0) -> dict[str, Any]:
    """Return all that the frames of a run depend on, as a `Workplace` notes it."""
    return {
        "version": __version__,
        "torch": str(torch.__version__),
        "chain": str(runner.plan.chain),
        "clip": clip.key,
        "seed": seed,
        "size": size,
        "steady": [steady, estimator()] if steady else 0,
        "models": runner.models,
        "plugins": runner.plan.plugins(),
        "ports": runner.port_hashes,
        "device": str(runner.device),
        "precision": runner.precision,
    }


class ClipRun:
    """A chain over a clip: `place(index)` is where the PNG of a frame goes; `done` of them are there already.

    Where the frames become a clip, `workplace` takes note of them.
    `digest` is the hash of the clip's file, which provenance records; `size` that of `run_jobs`; `steady`, 0 to 1, how
    much the frames are steadied (see `Steadier`). `seconds` says how long frames are shown, of those that were read so
    far.
    """

    def __init__(
        self,
        runner: Runner,
        clip: Clip,
        place: Callable[[int], Path],
        *,
        done: int = 0,
        digest: str | None = None,
        seed: int = 0,
        size: Size | None = None,
        overwrite: bool = False,
        workplace: Workplace | None = None,
        steady: float = 0.0,
    ) -> None:
        self.runner, self.clip, self.place, self.done = runner, clip, place, done
        self.seconds: list[Fraction] = []
        self._digest, self._seed, self._size, self._overwrite = digest, seed, size, overwrite
        self._workplace = workplace
        self._steadier = Steadier(steady, done) if steady else None

    def frames(self) -> Iterator[JobResult]:
        """Make the frames that are not there, and yield the result of each.

        Raises the error of a frame that fails, and ImageError for one of another size than the first.
        """
        first, index = self._first_size(), self.done
        for result in run_jobs(
            self.runner, self._jobs(), size=self._size, overwrite=self._overwrite, steadier=self._steadier
        ):
            if result.error is not None:
                raise _named(result.error, result.job.label)
            if result.job.target is None:  # a frame that is there: made again for those after it
                continue
            first = first or result.picture.size
            if result.picture.size != first:
                assert isinstance(result.job.target, Path)
                result.job.target.unlink()
                raise ImageError(_another_size(result, first))
            if self._workplace is not None:
                self._workplace.accept(index, first)
            index += 1
            yield result

    def _first_size(self) -> tuple[int, int] | None:
        if self._workplace is not None or not self.done:
            return self._workplace.size if self._workplace else None
        return read_picture(self.place(0)).size

    def write(self, target: Path, *, overwrite: bool = False) -> None:
        """Write the frames of the workplace to `target`, whole or not at all, and throw them away."""
        assert self._workplace is not None
        if target.suffix.lower() in WRITABLE_MOVIE_SUFFIXES:
            pieces = self._workplace.finish(len(self.seconds))
            write_movie(pieces, self.seconds, target, self.clip, overwrite=overwrite)
        else:
            self._write_animation(target, overwrite)
        self._workplace.remove()

    def _write_animation(self, target: Path, overwrite: bool) -> None:
        kept = [self.place(index) for index in range(len(self.seconds))]
        record = {name: value for name, value in (read_provenance(kept[-1]) or {}).items() if name != "frame"}
        if self.clip.file is None:  # the record of the last picture names that alone
            record = {name: value for name, value in record.items() if name not in OF_ONE}
        write_animation(kept, self.seconds, target, plays=self.clip.plays, overwrite=overwrite, record=record)

    def _jobs(self) -> Iterator[Job]:
        """Yield the jobs of the missing frames, and of those before them that they are blended with, without a target.

        What else they look back at is read, or its motion followed.
        """
        count, steadier = self.runner.plan.look_back, self._steadier
        first = self.done if steadier is None else steadier.computed
        skip = max(0, first - count)
        for index, job in enumerate(
            look_back(self._every_job(skip if steadier is None else min(skip, steadier.watched)), count)
        ):
            if index >= self.done:
                yield job
            elif index >= first:
                yield replace(job, target=None)
            elif steadier is not None and index >= steadier.watched:
                steadier.follow(read_input(job.source).picture, self.runner.device)

    def _every_job(self, skip: int) -> Iterator[Job]:
        for index, frame in enumerate(self.clip.frames(skip)):
            self.seconds.append(frame.seconds)
            source = self._input(frame.source, index) if isinstance(frame.source, Picture) else frame.source
            yield Job(source, self.place(index), self._seed, Path(f"frame {index + 1} of {Path(self.clip.name).name}"))

    def _input(self, picture: Picture, index: int) -> Input:
        return Input(picture, Path(self.clip.name).name, self._digest, index + 1)


def _named(error: ArtkitError, frame: str) -> ArtkitError:
    """Return an error that names the frame, which those of files do themselves."""
    return error if frame in str(error) else type(error)(f"{frame}: {error}")


def _another_size(result: JobResult, first: tuple[int, int]) -> str:
    height, width = result.picture.size
    wanted = f"{first[1]}x{first[0]}"
    return (
        f"{result.job.label} comes out as {width}x{height} pixels, and the first frame as {wanted}: "
        f"a clip has one size. Add --size {wanted}."
    )
