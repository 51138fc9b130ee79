"""Running a plan's jobs from the command line, and delivering each result as it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.files import Task, make_folder
from artkit.cli.output import INTERRUPTED, hear_notes, print_json, say, wordy
from artkit.cli.progress import Quiet, progress

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.request import Flags, Request
    from artkit.engine.runner import Runner, StepResult
    from artkit.engine.step import ProgressEvent
    from artkit.engine.stream import Job, JobResult
    from artkit.images import Picture


STRIP_ROWS = 64
PASSES = 50  # pictures of a step at work that are kept, at most


class Delivery:
    """Takes results one by one, as `flags` ask; `records` says about each what `--json` prints.

    `stopped` says what Ctrl-C left of the last one, if it came.
    """

    def __init__(self, runner: Runner, request: Request, flags: Flags) -> None:
        self.runner, self.request, self.flags = runner, request, flags
        self.records: list[dict[str, Any]] = []
        self.strip: str | None = None
        self.stopped: str | None = None
        self._passes: set[tuple[str, int]] = set()
        self._rows: list[list[tuple[Picture, str]]] = []

    def accept(self, task: Task, result: JobResult, bar: Quiet) -> None:
        """Deliver one result, past the progress bar: the file itself is written already, standard output is not."""
        self.records.append(_record(task, result))
        if task.target is None:
            self._write_stdout(result)
        if self.flags.keep_steps:
            self._keep_steps(task, result)
        if self.flags.strip and len(self._rows) < STRIP_ROWS:
            self._rows.append(_strip_row(task, result))
        if task.target and not self.flags.as_json:
            bar.write(str(task.target))
        if self.flags.show:
            self._show(result.picture)
        if result.share < 1:
            place = task.target or "standard output"
            self.stopped = f"stopped at {result.share:.0%}: {place} is what there was by then."

    def accept_sketch(self, job: Job, event: ProgressEvent) -> None:
        """Keep the picture of a step at work, of every fiftieth of its way, where steps are kept."""
        if self.flags.keep_steps is None or event.sketch is None or event.share >= 1:
            return
        name = f"{_stem(job.target)}.{event.index + 1}-{event.method}"
        here = name, int(event.share * PASSES)
        if here not in self._passes:
            self._passes.add(here)
            self._keep(event.sketch(), f"{name}.{event.share:.0%}".replace("%", ""))

    def finish(self, failures: list[dict[str, Any]]) -> None:
        """Write the strip, and say how long the steps took."""
        if self.flags.strip and self._rows:
            from artkit.images import fold_rows, make_strip, write_picture

            write_picture(make_strip(fold_rows(self._rows)), self.flags.strip, overwrite=self.flags.overwrite)
            self.strip = str(self.flags.strip)
            if not self.flags.as_json:
                click.echo(self.strip)
            if len(self.records) > STRIP_ROWS:
                say(f"{self.strip} shows the first {STRIP_ROWS} of {len(self.records)}.")
        if self.records and not self.flags.as_json:
            self._say_seconds()
        if failures:
            say(f"{len(failures)} of {len(failures) + len(self.records)} failed:")

    def _say_seconds(self) -> None:
        """Print the mean seconds of each step: beside the path on a terminal, to stderr with -v."""
        steps = zip(*(record["steps"] for record in self.records), strict=True)
        means = [(step[0]["method"], sum(one["seconds"] for one in step) / len(step)) for step in steps]
        line = " · ".join(f"{method} {seconds:.2f} s" for method, seconds in means)
        line += " a picture" if len(self.records) > 1 else ""
        if sys.stdout.isatty() and self.flags.output != "-":
            click.echo(line)
        elif wordy() or sys.stderr.isatty():
            click.echo(line, err=True)

    def _write_stdout(self, result: JobResult) -> None:
        from artkit.images import encode_picture

        sys.stdout.buffer.write(encode_picture(result.picture, ".png"))

    def _keep_steps(self, task: Task, result: JobResult) -> None:
        for name, step in _named(result.steps):
            self._keep(step.picture, f"{_stem(task.target)}.{name}")

    def _keep(self, picture: Picture, name: str) -> None:
        from artkit.images import write_picture

        assert self.flags.keep_steps is not None
        write_picture(picture, self.flags.keep_steps / f"{name}.png", overwrite=self.flags.overwrite)

    def _show(self, picture: Picture) -> None:
        from artkit.images import show

        streams = (sys.stderr,) if self.flags.as_json or self.flags.output == "-" else (sys.stdout, sys.stderr)
        stream = next((stream for stream in streams if stream.isatty()), None)
        if stream is None:
            say("--show needs a terminal.")
        else:
            show(picture, stream)


def _stem(target: Path | None) -> str:
    return target.stem if target else "stdout"


def _named(steps: Sequence[StepResult], within: str = "") -> Iterator[tuple[str, StepResult]]:
    """Yield every step with its name: `2-nst`; one of a chain that feeds a port of that, `2-nst.style.1-can`."""
    for step in steps:
        name = f"{within}{step.index + 1}-{step.method}"
        for port, made in step.nested.items():
            yield from _named(made, f"{name}.{port}.")
        yield name, step


def _record(task: Task, result: JobResult) -> dict[str, Any]:
    width, height = result.picture.width, result.picture.height
    return {
        "input": task.source and str(task.source),
        "output": task.target and str(task.target),
        "seed": task.seed,
        "size": [width, height],
        "seconds": round(result.seconds, 4),
        "steps": [{"method": step.method, "seconds": round(step.seconds, 4), **step.report} for step in result.steps],
    }


def _strip_row(task: Task, result: JobResult) -> list[tuple[Picture, str]]:
    cells: list[tuple[Picture, str]] = []
    for step in result.steps:
        cells += [(made[-1].picture, f"{port}: {made[-1].method}") for port, made in step.nested.items()]
        cells.append((step.picture, step.method))
    if task.source is None or result.source is None:
        (picture, method), *rest = cells
        return [(picture, f"{method}, seed {task.seed}"), *rest]
    return [(result.source, task.source.name.name), *cells]


def perform(plan: Plan, tasks: list[Task], request: Request, flags: Flags) -> int:
    """Make every picture of `tasks` and return the exit code: 1 when any of several failed, 130 after Ctrl-C.

    A failing picture is listed and the others go on; a single one raises its error. Ctrl-C while a step works that has
    something to show ends that step: its picture is finished and written, and the last.
    """
    _hush_decoders()
    hear_notes()
    _make_folders(tasks, flags)
    with progress("loading the models"):
        from artkit.engine.runner import Runner

        runner = Runner(plan, device=flags.device, precision=flags.precision, interruptible=True)
        runner.load()
    _tell_of_other_models(runner, request)
    delivery = Delivery(runner, request, flags)
    failures = _stream(runner, tasks, request, flags, delivery)
    delivery.finish(failures)
    if flags.as_json:
        print_json(_document(runner, request, delivery, failures))
    for failure in failures:
        say(_told(failure))
    if delivery.stopped:
        say(delivery.stopped)
        return INTERRUPTED
    return 1 if failures else 0


def _told(failure: dict[str, Any]) -> str:
    """Return one line that names the picture, which many an error does itself."""
    name = failure["input"] or f"seed {failure['seed']}"
    return failure["error"] if name in failure["error"] else f"{name}: {failure['error']}"


def _tell_of_other_models(runner: Runner, request: Request) -> None:
    """Say it when a model is no longer the one that made the picture whose recipe runs again."""
    if not request.models:
        return
    for name, digest in runner.models.items():
        if request.models.get(name, digest) != digest:
            say(f"{name} is not the model that made the picture (it was {request.models[name]}): results may differ.")


def _hush_decoders() -> None:
    """Keep what image libraries mutter about damaged files off the terminal: each fault is told in our one line."""
    import logging
    import warnings

    warnings.filterwarnings("ignore", module="PIL")
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def _stream(
    runner: Runner, tasks: list[Task], request: Request, flags: Flags, delivery: Delivery
) -> list[dict[str, Any]]:
    from artkit.engine.stream import Job, run_jobs

    jobs = [Job(_content(task), task.target, task.seed, task.source.name if task.source else Path()) for task in tasks]
    failures = []
    with progress(str(request.chain), total=len(tasks), hidden=flags.show) as bar:

        def watch(job: Job, event: ProgressEvent) -> None:
            bar.within(event)
            delivery.accept_sketch(job, event)

        results = run_jobs(runner, jobs, size=request.size, overwrite=flags.overwrite, on_progress=watch)
        for task, result in zip(tasks, results, strict=False):
            bar.advance(task.label)
            if result.error is None:
                delivery.accept(task, result, bar)
            elif len(tasks) == 1:
                raise result.error
            else:
                failures.append(
                    {"input": task.source and str(task.source), "seed": task.seed, "error": str(result.error)}
                )
    return failures


def _content(task: Task) -> Path | bytes | None:
    return None if task.source is None else task.source.content()


def _make_folders(tasks: list[Task], flags: Flags) -> None:
    """Make the folders that `-o` and `--keep-steps` ask for; the folder of a single `-o FILE` must be there."""
    if flags.output:
        targets = {task.target for task in tasks if task.target} - {Path(flags.output)}
        for folder in sorted({target.parent for target in targets}):
            make_folder(folder)
    if flags.keep_steps:
        make_folder(flags.keep_steps)


def _document(runner: Runner, request: Request, delivery: Delivery, failures: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "chain": str(request.chain),
        "device": str(runner.device),
        "precision": runner.precision,
        "results": delivery.records,
        "failures": failures,
        "strip": delivery.strip,
    }
