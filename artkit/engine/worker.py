"""One of many processes that make the pictures of a run, perhaps on another machine: all it gets is plain data.

It keeps its networks from one call to the next, reads and writes pictures itself, and answers with results whose
pictures have no pixels. What it is asked for a second time, after another died over it, it finds and leaves as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from artkit import __version__
from artkit.buckets import Place, Stamp, open_place, stamp_of
from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain, Size
from artkit.engine.job import Job
from artkit.engine.memory import free_memory
from artkit.engine.runner import Runner
from artkit.engine.standing import Standing, refusal
from artkit.engine.stream import JobResult, run_jobs
from artkit.engine.work import StepResult
from artkit.errors import ArtkitError, ModelError, OutputError, UsageError
from artkit.images import Picture
from artkit.images.decoding import opened
from artkit.plugins import load_registry, use_registry


@dataclass(frozen=True)
class Setup:
    """What a worker must know of a run.

    `chain` is its text, `plugins` are the files of one-file plugins, `models` the hashes that its models must have.
    `folder` is the one that paths start from, None where all are addresses; `variables` are the ARTKIT_ variables of
    whoever started the run, and `version` their artkit's. The rest is as typed.
    """

    chain: str
    has_input: bool
    ports: Mapping[str, str | Path | Sequence[str | Path]]
    plugins: tuple[Path, ...]
    models: Mapping[str, str]
    device: str
    precision: str
    size: Size | None
    overwrite: bool
    skip_existing: bool
    folder: Path | None
    variables: Mapping[str, str]
    version: str = __version__


class Worker:
    """Makes pictures of a run; `neighbours` workers share the memory of its machine, itself among them."""

    def __init__(self, setup: Setup, neighbours: int) -> None:
        self._setup, self._neighbours = setup, neighbours

    def start(self) -> tuple[str, str]:
        """Load plugins and networks; return the device and the precision they are in.

        Raises ArtkitError where this machine has another artkit, other models or no such folder.
        """
        setup = self._setup
        if setup.version != __version__:
            raise UsageError(f"this run was started with artkit {setup.version}, and a node has {__version__}.")
        os.environ.update(setup.variables)
        if setup.folder is not None:
            _enter(setup.folder)
        registry = load_registry(setup.plugins)
        use_registry(registry)
        plan = plan_chain(Chain(setup.chain), registry, has_input=setup.has_input, ports=setup.ports)
        runner = Runner(plan, device=setup.device, precision=setup.precision)
        if runner.device.type == "cpu" and self._neighbours > 1:
            os.environ.setdefault("ARTKIT_MEMORY", str(free_memory(runner.device) // self._neighbours))
        if runner.models != setup.models:
            raise ModelError(
                "a node has other models than who started this run: put ARTKIT_HOME where all nodes see it."
            )
        self._runner = runner
        self._standing = Standing(plan, setup.size, setup.models, runner.port_hashes)
        return str(runner.device), runner.precision

    def make(self, jobs: Sequence[Job], stamps: Sequence[Stamp | None], again: Sequence[bool]) -> list[JobResult]:
        """Make pictures, and return a result for each.

        `stamps` are those of what lay at their targets when the run was planned. What is asked for `again`, because a
        worker died that had it, may have been made: what lies there now and is other stays, where its record fits.
        """
        found = [self._found(*asked) for asked in zip(jobs, stamps, again, strict=True)]
        missing = (job for job, result in zip(jobs, found, strict=True) if result is None)
        made = run_jobs(self._runner, missing, size=self._setup.size, overwrite=self._setup.overwrite)
        return [_without_pixels(next(made) if result is None else result) for result in found]

    def _found(self, job: Job, planned: Stamp | None, again: bool) -> JobResult | None:
        """Return the result of a job that needs no work, or cannot be done; None where it is to be made."""
        assert job.target is not None
        try:
            stamp = stamp_of(job.target) if again else planned  # a store takes its time to answer
            if stamp is None or (stamp == planned and not self._setup.skip_existing):
                return None
            difference = self._standing.difference(job)
            if difference is None:
                return JobResult(job, steps=self._blanks(job.target), kept=True)
        except ArtkitError as error:
            return JobResult(job, error=error)
        return None if self._setup.overwrite else JobResult(job, error=OutputError(refusal(job, difference)))

    def _blanks(self, target: Place) -> list[StepResult]:
        """Return results of the steps for a file that is there, in its size."""
        with open_place(target) as stream, opened(stream, str(target)) as image:  # type: ignore[arg-type]
            width, height = image.size
        blank = _blank(height, width)
        return [StepResult(step.index, step.spec.name, blank, 0.0) for step in self._standing.plan.steps]


def _enter(folder: Path) -> None:
    try:
        os.chdir(folder)
    except OSError:
        raise UsageError(
            f"a node does not see the folder {folder}: run where all nodes have the files, or give buckets, s3://."
        ) from None


def _without_pixels(result: JobResult) -> JobResult:
    """Return a result that is small enough to be sent: of its pictures it tells the size."""
    steps = [replace(step, picture=_blank(*step.picture.size), nested={}, clock=None) for step in result.steps]
    return replace(result, source=None, steps=steps)


def _blank(height: int, width: int) -> Picture:
    return Picture(torch.empty(1, 3, height, width, device="meta"))
