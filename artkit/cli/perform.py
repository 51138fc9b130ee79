"""The run itself: models are loaded once, pictures stream through, each result is delivered as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from artkit.cli.delivery import Delivery
from artkit.cli.failures import INTERRUPTED
from artkit.cli.naming import Task, make_folder
from artkit.cli.output import hear_notes, print_json, say
from artkit.cli.progress import progress

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.request import Request
    from artkit.cli.run import Flags
    from artkit.engine.runner import Runner
    from artkit.engine.step import ProgressEvent


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
    _tell_of_other_models(plan, request)
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


def _tell_of_other_models(plan: Plan, request: Request) -> None:
    """Say it when a model is no longer the one that made the picture whose recipe runs again."""
    if not request.models:
        return
    from artkit.engine.runner import hash_models

    for name, digest in hash_models(plan).items():
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

    jobs = [Job(task.label, _content(task), task.target, task.seed) for task in tasks]
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
