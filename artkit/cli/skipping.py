"""`--skip-existing`: which results are there already, from an earlier run of the same request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from artkit.errors import OutputError
from artkit.files import digest_of

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.request import Request
    from artkit.engine import Job


def skip_existing(jobs: Sequence[Job], plan: Plan, request: Request) -> list[Job]:
    """Return the jobs whose results are not there yet, and with --overwrite those whose results were made otherwise.

    A PNG is the result of a job when its record has the same chain, seed, size, models, files for ports and input,
    those by their hashes; a file in a format without a record is taken for it. Raises OutputError for a result that
    differs.
    """
    models, files = hash_models(plan), [digest_of(file) for file in plan.files()]
    missing, differing = [], []
    for job in jobs:
        if job.target is None or not job.target.exists():
            missing.append(job)
        elif difference := _difference(job, plan, request, models, files, digest_of(job.source)):
            missing.append(job)
            differing.append(f"{job.target} exists already and {difference}")
    if differing and not request.overwrite:
        others = f" ({len(differing) - 1} more differ, too)" if len(differing) > 1 else ""
        raise OutputError(f"{differing[0]}{others}. Add --overwrite, or name another place with -o.")
    return missing


def hash_models(plan: Plan) -> dict[str, str]:
    """Return the hash of every model file of a plan, nested chains' too, by `method/name`, without loading one."""
    from artkit.models import model_hash

    files = {(step.spec.name, step.model) for one in plan.walk() for step in one.steps if step.model is not None}
    return {f"{method}/{path.stem}": model_hash(path) for method, path in files}


def _difference(
    job: Job,
    plan: Plan,
    request: Request,
    models: Mapping[str, str],
    files: Sequence[str | None],
    digest: str | None,
) -> str | None:
    """Say how the picture that is there differs from the one that the job would make."""
    from artkit.images import read_provenance

    assert job.target is not None
    if job.target.suffix.lower() != ".png":
        return None
    record = read_provenance(job.target)
    if record is None:
        return "was not made by artkit"
    checks = (
        (f"was made by {record.get('chain')}, not by {plan.chain}", record.get("chain") == str(plan.chain)),
        (f"was made under seed {record.get('seed')}, not {job.seed}", record.get("seed") == job.seed),
        ("has another size", _same_size(record.get("size"), request.size)),
        ("was made with other models", record.get("models") == models),
        ("was made with other files for its ports", record.get("port_hashes", []) == files),
        ("was made from another input", record.get("input_hash") == digest),
        ("was made after other pictures", record.get("before_hashes", []) == list(map(digest_of, job.before))),
        ("was steadied otherwise", record.get("steady", 0) == (request.steady or 0)),
        ("was stopped before it was done", "stopped_at" not in record),
    )
    return next((words for words, same in checks if not same), None)


def _same_size(recorded: Any, wanted: tuple[int, int] | int | None) -> bool:
    if isinstance(wanted, int):
        return isinstance(recorded, list) and max(recorded, default=0) == wanted
    return recorded == (list(wanted) if wanted else None)
