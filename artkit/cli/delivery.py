"""Running the jobs of a request, and delivering each result as it comes."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artkit.cli.files import describe_job
from artkit.cli.output import INTERRUPTED, echo, log, print_json, verbose
from artkit.cli.progress import NullBar, progress
from artkit.files import make_folder

if TYPE_CHECKING:
    from artkit.buckets import Place
    from artkit.chain import Plan
    from artkit.cli.request import Request
    from artkit.engine import Job, JobResult, Runner, StepResult
    from artkit.engine.step import ProgressEvent
    from artkit.images import Picture


STRIP_ROWS = 64
PASSES = 50  # pictures of a step at work that are kept, at most


def execute(plan: Plan, jobs: list[Job], request: Request) -> int:
    """Make every picture of `jobs` and return the exit code: 1 when any of several failed, 130 after Ctrl-C.

    A failing picture is listed and the others go on; a single one raises its error. Ctrl-C while a step works that has
    something to show ends that step: its picture is finished and written, and the last.
    """
    make_folders(jobs, request)
    runner = ready_runner(plan, request, interruptible=True, load=bool(jobs))
    from artkit.engine import run_jobs

    with progress(str(request.chain), total=len(jobs), hidden=request.show) as bar:
        delivery = Delivery(request, bar, alone=len(jobs) == 1)
        results = run_jobs(
            runner,
            jobs,
            size=request.size,
            overwrite=request.overwrite,
            keep_sources=request.strip is not None,
            on_progress=delivery.accept_progress,
        )
        for result in results:
            delivery.accept(result)
    delivery.finish(device=str(runner.device), precision=runner.precision)
    return exit_code(delivery)


def exit_code(delivery: Delivery) -> int:
    """Return the exit code of a run whose results were delivered."""
    if delivery.stopped:
        return INTERRUPTED
    return 1 if delivery.failures else 0


def ready_runner(plan: Plan, request: Request, *, interruptible: bool = False, load: bool = True) -> Runner:
    """Return what runs the chain, with its models loaded, and let what goes on be heard from now on."""
    _silence_decoders()
    show_log()
    with progress("loading the models"):
        from artkit.engine import Runner

        runner = Runner(plan, device=request.device, precision=request.precision, interruptible=interruptible)
        if load:
            runner.load()
    warn_of_other_models(runner.models if request.models else {}, request)
    return runner


def _silence_decoders() -> None:
    """Keep what image libraries mutter about damaged files off the terminal: each fault is told in our one line."""
    import warnings

    warnings.filterwarnings("ignore", module="PIL")
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)


class LogHandler(logging.Handler):
    """Writes what is logged to `artkit`: warnings always, notes where someone watches, details with -v."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        heard = logging.INFO if sys.stderr.isatty() else logging.WARNING
        if record.levelno >= heard or verbose():
            log(record.getMessage())


def show_log() -> None:
    """Show what is logged to `artkit` from now on; once is enough."""
    logger = logging.getLogger("artkit")
    logger.setLevel(logging.DEBUG)
    if not any(isinstance(handler, LogHandler) for handler in logger.handlers):
        logger.addHandler(LogHandler())


def make_folders(jobs: list[Job], request: Request) -> None:
    """Make the folders that `-o` and `--keep-steps` ask for; the folder of a single `-o FILE` must be there."""
    if request.output:
        targets = {job.target for job in jobs if isinstance(job.target, Path)} - {Path(request.output)}
        for folder in sorted({target.parent for target in targets}):
            make_folder(folder)
    if request.keep_steps:
        make_folder(request.keep_steps)


def warn_of_other_models(models: Mapping[str, str], request: Request) -> None:
    """Say it when a model is no longer the one that made the picture whose recipe runs again."""
    for name, digest in models.items():
        if request.models.get(name, digest) != digest:
            log(f"{name} is not the model that made the picture (it was {request.models[name]}): results may differ.")


class Delivery:
    """Takes the results of a request one by one, past the progress `bar`, and tells of them in the end.

    `records` and `failures` say about each what `--json` prints; `stopped`, what Ctrl-C left of the last one. A job
    that is `alone` raises its error.
    """

    def __init__(self, request: Request, bar: NullBar, *, alone: bool) -> None:
        self.request, self.bar, self.alone = request, bar, alone
        self.records: list[dict[str, Any]] = []
        self.failures: list[dict[str, Any]] = []
        self.stopped: str | None = None
        self._passes: set[tuple[str, int]] = set()
        self._rows: list[list[tuple[Picture, str]]] = []

    def accept_progress(self, job: Job, event: ProgressEvent) -> None:
        """Show how far a step has come, and keep its picture of every fiftieth of its way where steps are kept."""
        self.bar.within(event)
        if self.request.keep_steps is None or event.sketch is None or event.share >= 1:
            return
        name = f"{_stem(job.target)}.{event.index + 1}-{event.method}"
        here = name, int(event.share * PASSES)
        if here not in self._passes:
            self._passes.add(here)
            self._keep(event.sketch(), f"{name}.{event.share:.0%}".replace("%", ""))

    def accept(self, result: JobResult) -> None:
        """Deliver one result; its file is written already, standard output is not."""
        job, request = result.job, self.request
        self.bar.advance(job.label)
        if result.error is not None:
            if self.alone:
                raise result.error
            self.failures.append({"input": describe_job(job)["input"], "seed": job.seed, "error": str(result.error)})
            return
        self.records.append(_record(result))
        if job.target is None:
            _write_stdout(result)
        if request.keep_steps:
            for name, step in _named(result.steps):
                self._keep(step.picture, f"{_stem(job.target)}.{name}")
        if request.strip and len(self._rows) < STRIP_ROWS:
            self._rows.append(_strip_row(result))
        self.tell(job)
        if request.show:
            self._show(result.picture)
        if result.share < 1:
            place = job.target or "standard output"
            self.stopped = f"stopped at {result.share:.0%}: {place} is what there was by then."

    def tell(self, job: Job) -> None:
        """Print where a result is."""
        if job.target and not self.request.as_json:
            self.bar.write(str(job.target))

    def finish(self, *, device: str, precision: str) -> None:
        """Write the strip; print the seconds of the steps and the failures, or the document of `--json`."""
        strip = self._write_strip()
        if self.records and not self.request.as_json:
            self._print_seconds()
        if self.failures:
            log(f"{len(self.failures)} of {len(self.failures) + len(self.records)} failed:")
        if self.request.as_json:
            found = {"results": self.records, "failures": self.failures, "strip": strip}
            print_json({"chain": str(self.request.chain), "device": device, "precision": precision, **found})
        for failure in self.failures:
            log(_failure_line(failure))
        if self.stopped:
            log(self.stopped)

    def _write_strip(self) -> str | None:
        """Write the strip that is asked for, print its path, and return that."""
        if not (self.request.strip and self._rows):
            return None
        from artkit.images import fold_rows, make_strip, write_picture

        write_picture(make_strip(fold_rows(self._rows)), self.request.strip, overwrite=self.request.overwrite)
        if not self.request.as_json:
            echo(str(self.request.strip))
        if len(self.records) > STRIP_ROWS:
            log(f"{self.request.strip} shows the first {STRIP_ROWS} of {len(self.records)}.")
        return str(self.request.strip)

    def _print_seconds(self) -> None:
        """Print the mean seconds of each step: beside the path on a terminal, to stderr with -v."""
        steps = zip(*(record["steps"] for record in self.records), strict=True)
        means = [(step[0]["method"], sum(one["seconds"] for one in step) / len(step)) for step in steps]
        line = " · ".join(f"{method} {seconds:.2f} s" for method, seconds in means)
        line += " a picture" if len(self.records) > 1 else ""
        if sys.stdout.isatty() and self.request.output != "-":
            echo(line)
        elif verbose() or sys.stderr.isatty():
            echo(line, err=True)

    def _keep(self, picture: Picture, name: str) -> None:
        from artkit.images import write_picture

        assert self.request.keep_steps is not None
        overwrite = self.request.overwrite or self.request.skip_existing  # what a killed run had kept of this picture
        write_picture(picture, self.request.keep_steps / f"{name}.png", overwrite=overwrite)

    def _show(self, picture: Picture) -> None:
        from artkit.images import show

        streams = (sys.stderr,) if self.request.as_json or self.request.output == "-" else (sys.stdout, sys.stderr)
        stream = next((stream for stream in streams if stream.isatty()), None)
        if stream is None:
            log("--show needs a terminal.")
        else:
            show(picture, stream)


class ClipDelivery(Delivery):
    """Takes the frames of a clip: its record is one, `description` with the mean seconds of the steps; so is its path.

    `frames` counts those that were made.
    """

    def __init__(self, request: Request, bar: NullBar, description: dict[str, Any]) -> None:
        super().__init__(request, bar, alone=True)
        self.frames, self._record, self._steps = 0, description, Counter[str]()

    def accept(self, result: JobResult) -> None:
        """Take a frame."""
        super().accept(result)
        record = self.records.pop()
        self.frames += 1
        self._record["size"] = record["size"]
        self._steps.update({step.method: step.seconds for step in result.steps})

    def tell(self, job: Job) -> None:
        """Say nothing of a frame."""

    def finish(self, *, device: str, precision: str, frames: int | None = None) -> None:
        """Print where the clip is, that it has so many `frames`, and the rest as ever."""
        self._record["frames"] = frames
        seconds = {method: round(total / max(self.frames, 1), 4) for method, total in self._steps.items()}
        steps = [{"method": method, "seconds": mean} for method, mean in seconds.items()]
        self.records = [self._record | {"seconds": round(sum(seconds.values()) * self.frames, 4), "steps": steps}]
        if not self.request.as_json:
            echo(self._record["output"])
        super().finish(device=device, precision=precision)


def _write_stdout(result: JobResult) -> None:
    from artkit.images import encode_picture

    sys.stdout.buffer.write(encode_picture(result.picture, ".png"))


def _stem(target: Place | None) -> str:
    return target.stem if target else "stdout"


def _named(steps: Sequence[StepResult], within: str = "") -> Iterator[tuple[str, StepResult]]:
    """Yield every step with its name: `2-nst`; one of a chain that feeds a port of that, `2-nst.style.1-can`."""
    for step in steps:
        name = f"{within}{step.index + 1}-{step.method}"
        for port, made in step.nested.items():
            yield from _named(made, f"{name}.{port}.")
        yield name, step


def _record(result: JobResult) -> dict[str, Any]:
    return describe_job(result.job) | {
        "size": [result.picture.width, result.picture.height],
        "seconds": round(result.seconds, 4),
        "steps": [{"method": step.method, "seconds": round(step.seconds, 4), **step.report} for step in result.steps],
    }


def _strip_row(result: JobResult) -> list[tuple[Picture, str]]:
    cells: list[tuple[Picture, str]] = []
    for step in result.steps:
        cells += [(made[-1].picture, f"{port}: {made[-1].method}") for port, made in step.nested.items()]
        cells.append((step.picture, step.method))
    if result.source is None:
        (picture, method), *rest = cells
        return [(picture, f"{method}, seed {result.job.seed}"), *rest]
    return [(result.source, result.job.name.name), *cells]


def _failure_line(failure: dict[str, Any]) -> str:
    """Return one line that names the picture, which many an error does itself."""
    name = failure["input"] or f"seed {failure['seed']}"
    return failure["error"] if name in failure["error"] else f"{name}: {failure['error']}"
