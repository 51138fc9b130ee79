"""`--skip-existing`: which results are there already, from an earlier run of the same request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.errors import OutputError
from artkit.files import digest_of

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.request import Request
    from artkit.engine import Job


def skip_existing(jobs: Sequence[Job], plan: Plan, request: Request) -> list[Job]:
    """Return the jobs whose results are not there yet, and with --overwrite those whose results were made otherwise.

    `Standing` tells which are results of the request. Raises OutputError for a result that differs.
    """
    from artkit.engine.standing import Standing, refusal

    files = [digest_of(file) for file in plan.files()]
    standing = Standing(plan, request.size, hash_models(plan), files, request.steady or 0)
    missing, differing = [], []
    for job in jobs:
        if not isinstance(job.target, Path) or not job.target.exists():
            missing.append(job)
        elif difference := standing.difference(job):
            missing.append(job)
            differing.append((job, difference))
    if differing and not request.overwrite:
        others = f" ({len(differing) - 1} more differ, too)" if len(differing) > 1 else ""
        raise OutputError(refusal(*differing[0], others))
    return missing


def hash_models(plan: Plan) -> dict[str, str]:
    """Return the hash of every model file of a plan, nested chains' too, by `method/name`, without loading one."""
    from artkit.models import model_hash

    files = {(step.spec.name, step.model) for one in plan.walk() for step in one.steps if step.model is not None}
    return {f"{method}/{path.stem}": model_hash(path) for method, path in files}
