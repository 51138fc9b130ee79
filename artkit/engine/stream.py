"""Many pictures through one chain: reading, computing and writing overlap, and a bad file stops only itself."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from artkit.buckets import BucketPath, Place
from artkit.chain.steps import Size
from artkit.engine.inputs import Input, read_input
from artkit.engine.job import Job
from artkit.engine.runner import MOST_AT_ONCE, Runner
from artkit.engine.steady import Steadier
from artkit.engine.step import ProgressEvent
from artkit.engine.work import DREAM_SIZE, StepResult, settle
from artkit.errors import ArtkitError
from artkit.images import Picture, encode_picture, write_picture
from artkit.images.formats import LABEL_SUFFIXES
from artkit.motion import Motion
from artkit.spec import ClassSet

READ_AHEAD = 1
WRITERS = max(1, min(8, (os.cpu_count() or 2) // 2))
"""Threads that encode and write: compressing takes longer than a GPU takes to make the picture."""

Reading = Future["Input | None"]
Writing = tuple["JobResult", "Future[JobResult]"]


@dataclass(frozen=True)
class JobResult:
    """What became of a job: the picture read where it is kept, and the steps' pictures, the last with its provenance.

    Or the `error`. `share` is less than 1 where Ctrl-C ended it early. What is `kept` was made by an earlier run.
    """

    job: Job
    source: Picture | None = None
    steps: list[StepResult] = field(default_factory=list)
    error: ArtkitError | None = None
    seconds: float = 0.0
    kept: bool = False

    @property
    def picture(self) -> Picture:
        """The picture that was made: the last step's."""
        return self.steps[-1].picture

    @property
    def share(self) -> float:
        """How far the step came that Ctrl-C ended; 1 where none was."""
        return min((step.share for step in self.steps), default=1.0)


@dataclass(frozen=True)
class Waiting:
    """A job, and what is read for it: its picture, and those before it that the chain looks at.

    `motion` is what is known of a frame of a clip that is made steady.
    """

    job: Job
    reading: Reading
    before: tuple[Reading, ...]
    motion: Motion | None = None


class Reader:
    """Reads the pictures of jobs in other threads; one that the next jobs look back at is read once."""

    def __init__(self, runner: Runner, pool: ThreadPoolExecutor) -> None:
        self._pool, self._look_back = pool, runner.plan.look_back
        self._read = partial(_read, known=runner.carried_classes, pinned=runner.on_gpu)
        self._recent: deque[tuple[Any, Reading]] = deque(maxlen=self._look_back + 1 if self._look_back else 0)

    def submit(self, job: Job) -> Waiting:
        """Begin to read what a job needs."""
        before = tuple(self._reading(source, job) for source in job.before[: self._look_back])
        return Waiting(job, self._reading(job.source, job), before)

    def _reading(self, source: Any, job: Job) -> Reading:
        for known, reading in self._recent:
            if known is source or (isinstance(known, Path) and isinstance(source, Path) and known == source):
                return reading
        reading = self._pool.submit(self._read, source, job.target)
        self._recent.append((source, reading))
        return reading


def run_jobs(
    runner: Runner,
    jobs: Iterable[Job],
    *,
    size: Size | None = None,
    facts: Mapping[str, str] | None = None,
    overwrite: bool = False,
    keep_sources: bool = False,
    on_progress: Callable[[Job, ProgressEvent], None] | None = None,
    steadier: Steadier | None = None,
) -> Iterator[JobResult]:
    """Yield one result a job, in order, up to one that Ctrl-C ended early.

    `size` is (width, height), or the longest side of results that keep the proportions of their inputs; those of
    `DREAM_SIZE` without one. The next pictures are read, and the last ones written, while others are computed: several
    at once where the device gains from it. No more than a few wait at either end. Results hold the pictures that were
    read only with `keep_sources`: they may be large. With a `steadier` the jobs are frames of a clip, in order.
    """
    ahead = 2 * MOST_AT_ONCE if runner.on_gpu else READ_AHEAD
    with ThreadPoolExecutor(max(READ_AHEAD, WRITERS)) as readers, ThreadPoolExecutor(WRITERS) as writers:
        waiting, reader = iter(jobs), Reader(runner, readers)
        reading = deque(map(reader.submit, islice(waiting, ahead)))
        unwritten: deque[Writing] = deque()
        try:
            while reading:
                group = _next_group(runner, reading, waiting, reader)
                if steadier is not None:
                    group = [_follow(one, steadier, runner) for one in group]
                made = _compute(runner, group, size, facts, on_progress)
                for one, result in zip(group, made, strict=True):
                    if steadier is not None and one.motion is not None and result.error is None:
                        result = replace(result, steps=steadier.blend(result.steps, one.motion))
                    result = result if keep_sources else replace(result, source=None)
                    unwritten.append((result, writers.submit(_deliver, result, overwrite)))
                while len(unwritten) > WRITERS:
                    yield unwritten.popleft()[1].result()
                if unwritten[-1][0].share < 1:
                    break
            while unwritten:
                yield unwritten.popleft()[1].result()
        finally:
            for one in reading:
                one.reading.cancel()


def _read(source: Any, target: Place | None, known: Sequence[ClassSet], pinned: bool) -> Input | None:
    """Read a picture, into memory that a GPU copies from by itself where it is `pinned`.

    Label maps of `known` classes stay such, unless the file to be made of them would change their colours.
    """
    kept = target is None or target.suffix.lower() in LABEL_SUFFIXES
    read = None if source is None else read_input(source, known if kept else ())
    if read is None or not pinned:
        return read
    return replace(read, picture=replace(read.picture, tensor=read.picture.tensor.pin_memory()))


def _next_group(runner: Runner, reading: deque[Waiting], waiting: Iterator[Job], reader: Reader) -> list[Waiting]:
    """Take the next job, and those after it whose pictures are of the same size, as many as are computed at once."""
    group: list[Waiting] = []
    limit = 1
    while len(group) < limit and reading:
        size = _size(reading[0])
        if not group:
            limit = runner.batch_limit(size[0] * size[1]) if size else 1
        elif size != _size(group[0]):
            break
        group.append(reading.popleft())
        reading.extend(map(reader.submit, islice(waiting, 1)))
    return group


def _size(waiting: Waiting) -> tuple[int, int] | None:
    """Return the (height, width) of what was read, or would be dreamed; None where reading failed."""
    try:
        read = waiting.reading.result()
    except ArtkitError:
        return None
    return read.picture.size if read else DREAM_SIZE[::-1]


def _follow(waiting: Waiting, steadier: Steadier, runner: Runner) -> Waiting:
    """Return a frame that was read with what is known of its motion; none where reading failed."""
    try:
        read = waiting.reading.result()
    except ArtkitError:
        return waiting
    return replace(waiting, motion=steadier.follow(read.picture, runner.device)) if read else waiting


def _compute(
    runner: Runner,
    group: list[Waiting],
    size: Size | None,
    facts: Mapping[str, str] | None,
    on_progress: Callable[[Job, ProgressEvent], None] | None,
) -> list[JobResult]:
    """Compute a group at once; where that fails, one by one, so that a bad picture stops only itself."""
    jobs = [one.job for one in group]
    start = time.perf_counter()
    watcher = partial(on_progress, jobs[0]) if on_progress and len(jobs) == 1 else None
    try:
        read = [one.reading.result() for one in group]
        before = [[found for earlier in one.before if (found := earlier.result())] for one in group]
        seeds = [job.seed for job in jobs]
        motions = [one.motion for one in group]
        made = runner.compute(read, seeds, before=before, motions=motions, size=size, facts=facts, on_progress=watcher)
    except ArtkitError as error:
        if len(group) == 1:
            return [JobResult(jobs[0], error=error, seconds=time.perf_counter() - start)]
        return [result for one in group for result in _compute(runner, [one], size, facts, on_progress)]
    seconds = (time.perf_counter() - start) / len(jobs)
    pictures = [one.picture if one else None for one in read]
    return [JobResult(*parts, seconds=seconds) for parts in zip(jobs, pictures, made, strict=True)]


def _deliver(result: JobResult, overwrite: bool) -> JobResult:
    """Bring a result to the CPU and write its file, or note why not."""
    if result.error is not None:
        return result
    try:
        settled = replace(result, steps=settle(result.steps))
        if settled.job.target is not None:
            _write(settled.picture, settled.job.target, overwrite)
    except ArtkitError as error:
        return replace(result, steps=[], error=error)
    return settled


def _write(picture: Picture, target: Place, overwrite: bool) -> None:
    if isinstance(target, BucketPath):
        target.write(encode_picture(picture, target.suffix), overwrite=overwrite)
    else:
        write_picture(picture, target, overwrite=overwrite)
