"""Many pictures through one chain: reading, computing and writing overlap, and a bad file stops only itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from artkit.chain.steps import Size
from artkit.engine.inputs import Input, read_input
from artkit.engine.job import Job
from artkit.engine.runner import Runner, StepResult
from artkit.engine.step import ProgressEvent, Watcher
from artkit.errors import ArtkitError
from artkit.images import Picture, write_picture

READ_AHEAD = 2


@dataclass(frozen=True)
class JobResult:
    """What became of a job: the picture read, the steps' pictures, the last with its provenance, or the error.

    `share` is less than 1 where Ctrl-C ended it early.
    """

    job: Job
    source: Picture | None = None
    steps: list[StepResult] = field(default_factory=list)
    error: ArtkitError | None = None
    seconds: float = 0.0

    @property
    def picture(self) -> Picture:
        """The picture that was made: the last step's."""
        return self.steps[-1].picture

    @property
    def share(self) -> float:
        """How far the step came that Ctrl-C ended; 1 where none was."""
        return min((step.share for step in self.steps), default=1.0)


def run_jobs(
    runner: Runner,
    jobs: Iterable[Job],
    *,
    size: Size | None = None,
    facts: Mapping[str, str] | None = None,
    overwrite: bool = False,
    on_progress: Callable[[Job, ProgressEvent], None] | None = None,
) -> Iterator[JobResult]:
    """Yield one result a job, in order, up to one that Ctrl-C ended early.

    `size` is (width, height), or the longest side of results that keep the proportions of their inputs; those of
    `DREAM_SIZE` without one.

    The next pictures are read, and the last one written, while one is computed.
    """
    with ThreadPoolExecutor(READ_AHEAD) as readers, ThreadPoolExecutor(1) as writer:
        waiting = iter(jobs)
        reading = [(job, readers.submit(_read, job)) for job in islice(waiting, READ_AHEAD)]
        unwritten: tuple[JobResult, Future[None] | None] | None = None
        while reading:
            job, source = reading.pop(0)
            reading += [(after, readers.submit(_read, after)) for after in islice(waiting, 1)]
            watcher = partial(on_progress, job) if on_progress else None
            result = _compute(runner, job, source, size, facts, watcher)
            written = writer.submit(_write, result, overwrite) if result.error is None else None
            if unwritten:
                yield _settle(*unwritten)
            unwritten = result, written
            if result.share < 1:
                break
        if unwritten:
            yield _settle(*unwritten)


def _read(job: Job) -> Input | None:
    return None if job.source is None else read_input(job.source)


def _compute(
    runner: Runner,
    job: Job,
    source: Future[Input | None],
    size: Size | None,
    facts: Mapping[str, str] | None,
    on_progress: Watcher | None,
) -> JobResult:
    start = time.perf_counter()
    try:
        read = source.result()
        steps = runner.run(read, seed=job.seed, size=size, facts=facts, on_progress=on_progress)
    except ArtkitError as error:
        return JobResult(job, error=error, seconds=time.perf_counter() - start)
    return JobResult(job, read.picture if read else None, steps, seconds=time.perf_counter() - start)


def _write(result: JobResult, overwrite: bool) -> None:
    if result.job.target is not None:
        write_picture(result.picture, result.job.target, overwrite=overwrite)


def _settle(result: JobResult, written: Future[None] | None) -> JobResult:
    try:
        if written is not None:
            written.result()
    except ArtkitError as error:
        return replace(result, steps=[], error=error)
    return result
