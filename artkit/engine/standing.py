"""Results that stand already: whether a file is what a job would make, by the record in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artkit.buckets import Place, digest_at, open_place
from artkit.chain.plan import Plan
from artkit.chain.steps import Size
from artkit.engine.job import Job
from artkit.errors import ImageError
from artkit.images.provenance import read_provenance


@dataclass(frozen=True)
class Standing:
    """What the results of a run have in common, to tell them from others by their records.

    `models` are hashes of the weights by `method/name`, `files` those of the files for ports, `steady` how much frames
    of a clip are steadied.
    """

    plan: Plan
    size: Size | None
    models: Mapping[str, str]
    files: Sequence[str | None]
    steady: float = 0.0

    def difference(self, job: Job) -> str | None:
        """Say how the picture at a job's target differs from the one that the job would make; None where it is that.

        A PNG is the result of a job when its record has the same chain, seed, size, models, files for ports and input,
        those by their hashes; a file in a format without a record is taken for it.
        """
        assert job.target is not None
        if job.target.suffix.lower() != ".png":
            return None
        record = _record(job.target)
        if record is None:
            return "was not made by artkit"
        checks = (
            (
                f"was made by {record.get('chain')}, not by {self.plan.chain}",
                record.get("chain") == str(self.plan.chain),
            ),
            (f"was made under seed {record.get('seed')}, not {job.seed}", record.get("seed") == job.seed),
            ("has another size", _same_size(record.get("size"), self.size)),
            ("was made with other models", record.get("models") == self.models),
            ("was made with other files for its ports", record.get("port_hashes", []) == self.files),
            ("was made from another input", record.get("input_hash") == digest_at(job.source)),
            ("was made after other pictures", record.get("before_hashes", []) == list(map(digest_at, job.before))),
            ("was steadied otherwise", record.get("steady", 0) == self.steady),
            ("was stopped before it was done", "stopped_at" not in record),
        )
        return next((words for words, same in checks if not same), None)


def refusal(job: Job, difference: str, more: str = "") -> str:
    """Return the words that refuse to write over a picture that differs; `more` says of others."""
    return f"{job.target} exists already and {difference}{more}. Add --overwrite, or name another place with -o."


def _record(place: Place) -> dict[str, Any] | None:
    try:
        with open_place(place) as stream:
            return read_provenance(stream)  # type: ignore[arg-type]
    except OSError as error:
        raise ImageError(f"Cannot read {place}: {error.strerror}.") from None


def _same_size(recorded: Any, wanted: Size | None) -> bool:
    if isinstance(wanted, int):
        return isinstance(recorded, list) and max(recorded, default=0) == wanted
    return recorded == (list(wanted) if wanted else None)
