"""Many pictures through one chain: reading, computing and writing overlap, and a bad file stops only itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from artkit.engine.job import Job
from artkit.engine.runner import Runner, StepResult
from artkit.engine.step import ProgressEvent, Watcher
from artkit.errors import ArtkitError
from artkit.images import Picture, read_picture, write_picture

READ_AHEAD = 2


@dataclass(frozen=True)
class JobResult:
    """What became of a job: the steps' pictures, or the error; `share` is less than 1 where Ctrl-C ended it early.

    `source` is the input as it was read, `provenance` the record that a written PNG carries.
    """

    job: Job
    steps: list[StepResult] = field(default_factory=list)
    error: ArtkitError | None = None
    seconds: float = 0.0
    source: Picture | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How far the step came that Ctrl-C ended; 1 where none was."""
        return min((step.share for step in self.steps), default=1.0)


def run_jobs(
    runner: Runner,
    jobs: Iterable[Job],
    *,
    size: tuple[int, int] | None = None,
    overwrite: bool = False,
    on_progress: Callable[[Job, ProgressEvent], None] | None = None,
) -> Iterator[JobResult]:
    """Yield one result a job, in order, up to one that Ctrl-C ended early.

    The next pictures are read, and the last one written, while one is computed.
    """
    with ThreadPoolExecutor(READ_AHEAD) as readers, ThreadPoolExecutor(1) as writer:
        waiting = iter(jobs)
        reading = [(job, readers.submit(_read, job)) for job in islice(waiting, READ_AHEAD)]
        unwritten: tuple[JobResult, Future[None] | None] | None = None
        while reading:
            job, picture = reading.pop(0)
            reading += [(after, readers.submit(_read, after)) for after in islice(waiting, 1)]
            result = _compute(runner, job, picture, size, partial(on_progress, job) if on_progress else None)
            written = writer.submit(_write, result, overwrite) if result.error is None else None
            if unwritten:
                yield _settle(*unwritten)
            unwritten = result, written
            if result.share < 1:
                break
        if unwritten:
            yield _settle(*unwritten)


def _read(job: Job) -> Picture | None:
    return None if job.source is None else read_picture(job.source)


def _compute(
    runner: Runner,
    job: Job,
    picture: Future[Picture | None],
    size: tuple[int, int] | None,
    on_progress: Watcher | None,
) -> JobResult:
    start = time.perf_counter()
    try:
        source = picture.result()
        steps = runner.run(source, seed=job.seed, size=size, on_progress=on_progress)
    except ArtkitError as error:
        return JobResult(job, error=error, seconds=time.perf_counter() - start)
    result = JobResult(job, steps, seconds=time.perf_counter() - start, source=source)
    return replace(result, provenance=_provenance(runner, result, size))


def _provenance(runner: Runner, result: JobResult, size: tuple[int, int] | None) -> dict[str, Any]:
    """Return what the picture remembers; the place that a run's record is made at."""
    record = runner.provenance(result.job.seed, size)
    if isinstance(result.job.source, Path):
        record["input"] = str(result.job.source)
    if result.share < 1:
        record["stopped_at"] = round(result.share, 3)
    return record


def _write(result: JobResult, overwrite: bool) -> None:
    if result.job.target is not None:
        picture = result.steps[-1].picture
        write_picture(picture, result.job.target, overwrite=overwrite, provenance=result.provenance)


def _settle(result: JobResult, written: Future[None] | None) -> JobResult:
    try:
        if written is not None:
            written.result()
    except ArtkitError as error:
        return JobResult(result.job, error=error, seconds=result.seconds)
    return result
