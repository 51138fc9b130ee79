"""`artkit run --engine ray`: a run on the nodes of a cluster, on folders that all see and on buckets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.cli.files import STDIN, STDOUT
from artkit.cli.output import log
from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.request import Request
    from artkit.engine import Job
    from artkit.engine.worker import Setup

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)


def refuse_alone(request: Request) -> None:
    """Raise UsageError for what one process does with the pictures of a run that workers do not send it."""
    asked = {
        "--strip": request.strip,
        "--show": request.show,
        "--keep-steps": request.keep_steps,
        "-o -": request.output == STDOUT,
        "standard input": STDIN in request.inputs,
        "--steady": request.steady,
    }
    for name, value in asked.items():
        if value:
            raise UsageError(f"{name} is for one process: leave it out with --engine ray.")
    if any(str(place).startswith("memory://") for place in (*request.inputs, request.output)):
        raise UsageError("memory:// is seen by one process alone: use a shared folder, or s3://.")


def execute_on_ray(plan: Plan, jobs: list[Job], request: Request) -> int:
    """Make every picture of `jobs` on a cluster, and return the exit code, as `execute` does on this machine."""
    from artkit.buckets import stamps_of
    from artkit.cli.delivery import Delivery, exit_code, make_folders, show_log, warn_of_other_models
    from artkit.cli.progress import progress

    standing = stamps_of(job.target for job in jobs if job.target)
    setup = _describe(plan, jobs, request)
    make_folders(jobs, request)
    show_log()
    warn_of_other_models(setup.models, request)
    from artkit.engine.on_ray import connect, run_on_ray

    connect()
    kept = 0
    with progress(str(request.chain), total=len(jobs)) as bar:
        delivery = Delivery(request, bar, alone=len(jobs) == 1)
        crew = run_on_ray(setup, jobs, standing)
        for result in crew:
            if result.kept and result.job.target in standing:
                kept += 1
                bar.advance(result.job.label)
            else:
                delivery.accept(result)
    if kept:
        log(f"{kept:,} of {len(jobs):,} are there already.")
    devices, precisions = (", ".join(sorted(set(names))) for names in zip(*crew.machines, strict=True))
    delivery.finish(device=devices, precision=precisions)
    return exit_code(delivery)


def _describe(plan: Plan, jobs: list[Job], request: Request) -> Setup:
    """Return what workers must know."""
    from artkit.cli.skipping import hash_models
    from artkit.engine.worker import Setup

    places = [place for job in jobs for place in (job.source, job.target)]
    here = any(isinstance(place, Path) for place in [*places, *plan.files()])
    return Setup(
        chain=str(request.chain),
        has_input=plan.has_input,
        ports=request.ports,
        plugins=plan.registry.files,
        models=hash_models(plan),
        device=request.device,
        precision=request.precision,
        size=request.size,
        overwrite=request.overwrite,
        skip_existing=request.skip_existing,
        folder=Path.cwd() if here else None,
        variables={name: value for name, value in os.environ.items() if name.startswith("ARTKIT_")},
    )
