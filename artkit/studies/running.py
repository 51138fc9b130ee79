"""Running a study: data once, a training run for each arm and seed, scores of each; what is done stays done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from artkit.chain import Chain
from artkit.errors import ArtkitError, TrainingError, UsageError
from artkit.files import make_folder, write_atomically
from artkit.metrics import evaluate
from artkit.plugins import current_registry
from artkit.runs.record import CHECKPOINT, MODEL_FILE
from artkit.studies.data import make_all_data, place_of
from artkit.studies.protocol import MODEL, Arm, Scoring, Study
from artkit.training import Reporter, train
from artkit.training.run import find_trainer, split_values

RESULTS, RECORD = "scores.json", "study.json"


class Result(msgspec.Struct, frozen=True):
    """What one training run of an arm came to: its scores, and the seconds that it took here."""

    arm: str
    seed: int
    scores: dict[str, float]
    seconds: float


@dataclass
class Outcome:
    """A study with the results that are there, in the order of its arms and seeds."""

    study: Study
    folder: Path
    results: list[Result] = field(default_factory=list)

    def of(self, arm: str, metric: str) -> list[float]:
        """Return an arm's scores by a metric, one a seed."""
        return [one.scores[metric] for one in self.results if one.arm == arm]

    def differences(self, metric: str, arm: str, beside: str) -> list[float]:
        """Return by how much an arm's score is above that of the one beside it, seed by seed: both saw the same."""
        return [a - b for a, b in zip(self.of(arm, metric), self.of(beside, metric), strict=True)]

    def model(self, arm: str, seed: int) -> Path:
        """Return where the model of a run lies."""
        return self.folder / "runs" / f"{arm}-{seed}" / MODEL_FILE


def run_study(
    study: Study,
    folder: Path,
    *,
    note: Callable[[str], None] = lambda _: None,
    reporter: Reporter | None = None,
) -> Outcome:
    """Run what is missing of a study in `folder` and return its outcome; each result is written as it comes.

    A study that was stopped goes on where it was, in mid-run too; one that is scored otherwise than before, or has more
    arms or seeds, keeps its models. Raises UsageError for a folder with another study, and what making data, training
    and scoring raise.
    """
    _check_names(study, folder)
    _check_training(study)
    _claim_folder(study, folder)
    outcome = Outcome(study, folder, _read_results(folder))
    make_all_data(study, folder, note)
    for seed, name in _missing(outcome):
        note(f"{name}, seed {seed}")
        others = [one for one in outcome.results if (one.seed, one.arm) != (seed, name)]
        outcome.results = [*others, _run_arm(outcome, name, seed, reporter)]
        outcome.results.sort(key=lambda one: (list(study.arms).index(one.arm), one.seed))
        _write_results(folder, outcome.results)
    return outcome


def _check_names(study: Study, folder: Path) -> None:
    """Refuse methods and metrics that are not there, in a chain too, before an arm is trained for nothing."""
    registry, outcome = current_registry(), Outcome(study, folder)
    registry.method(study.method)
    for metric in (metric for scoring in study.scores for metric in scoring.metrics):
        registry.metric(metric)
    made = [column.chain for data in study.data.values() for column in data.columns.values()]
    scored = [chain_of(outcome, name, scoring, 0) for scoring in study.scores for name in study.arms]
    for step in (step for text in (*made, *scored) for step in Chain(text)):
        registry.method(step.method)


def _check_training(study: Study) -> None:
    """Refuse settings that an arm could not be trained with, before any arm is."""
    spec = current_registry().method(study.method)
    for name, arm in study.arms.items():
        if arm.trained:
            with _blaming(name):
                split_values(spec, find_trainer(spec), study.values_of(name))


@contextmanager
def _blaming(arm: str, seed: int | None = None) -> Iterator[None]:
    """Say in which arm something failed."""
    try:
        yield
    except ArtkitError as error:
        run = "" if seed is None else f", seed {seed}"
        raise TrainingError(f"the arm '{arm}'{run}: {error}") from error


def _claim_folder(study: Study, folder: Path) -> None:
    """Write the study into its folder, if what is there was trained for it; scores of another kind go."""
    make_folder(folder)
    record, text = folder / RECORD, msgspec.json.format(msgspec.json.encode(study))
    if not record.exists():
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty and holds no study: give a new folder with -o.")
        write_atomically(record, text)
        return
    try:
        there = msgspec.json.decode(record.read_bytes(), type=Study)
    except (OSError, ValueError) as error:
        raise UsageError(f"{record} is damaged: give a new folder with -o.") from error
    if not _extends(study, there) and list(folder.iterdir()) != [record]:  # nothing came of it
        raise UsageError(f"{folder} holds another study, or one of another size: give a new folder with -o.")
    results = [_still_true(one, study, there) for one in _read_results(folder)]
    if results:
        _write_results(folder, results)
    write_atomically(record, text, overwrite=True)


def _extends(study: Study, there: Study) -> bool:
    """Say whether all that was trained for a study is trained alike for this one, on the same data."""
    arms = {name: _training_of(arm) for name, arm in study.arms.items()}
    return (
        (study.method, study.on, study.values) == (there.method, there.on, there.values)
        and there.data.items() <= study.data.items()
        and all(arms.get(name) == _training_of(arm) for name, arm in there.arms.items())
    )


def _training_of(arm: Arm) -> tuple[bool, str | None, float, dict[str, Any]]:
    return arm.trained, arm.on, arm.share, arm.values


def _still_true(result: Result, study: Study, there: Study) -> Result:
    """Keep those scores of a result that this study would compute as the one that was there did."""
    if study.arms[result.arm].chain != there.arms[result.arm].chain:
        return msgspec.structs.replace(result, scores={})
    same = {name for name in result.scores if _scoring_of(study, name) == _scoring_of(there, name)}
    return msgspec.structs.replace(result, scores={name: result.scores[name] for name in sorted(same)})


def _scoring_of(study: Study, metric: str) -> Scoring | None:
    """Return how a metric is computed, whatever others are computed beside it."""
    found = (one for one in study.scores if metric in one.metrics)
    return next((msgspec.structs.replace(one, metrics=(metric,)) for one in found), None)


def _read_results(folder: Path) -> list[Result]:
    path = folder / RESULTS
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Result])
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged: remove it, and what is trained is scored again.") from error


def _write_results(folder: Path, results: list[Result]) -> None:
    write_atomically(folder / RESULTS, msgspec.json.format(msgspec.json.encode(results)), overwrite=True)


def _missing(outcome: Outcome) -> list[tuple[int, str]]:
    """List the runs that lack a score, seed by seed: a study that is stopped has as many of each arm."""
    study, arms = outcome.study, list(outcome.study.arms)
    metrics = {metric for one in study.scores for metric in one.metrics}
    there = {(one.seed, one.arm): metrics <= one.scores.keys() for one in outcome.results}
    runs = {(seed, name): False for seed in range(study.seeds) for name in arms} | there
    return sorted((run for run, done in runs.items() if not done), key=lambda run: (run[0], arms.index(run[1])))


def _run_arm(outcome: Outcome, name: str, seed: int, reporter: Reporter | None) -> Result:
    """Train an arm where it is not, and compute the scores that its result lacks."""
    there = next((one for one in outcome.results if (one.arm, one.seed) == (name, seed)), Result(name, seed, {}, 0.0))
    trained = outcome.study.arms[name].trained
    seconds = there.seconds + (_train(outcome, name, seed, reporter) if trained else 0.0)
    scores = dict(there.scores)
    for scoring in outcome.study.scores:
        if lacking := tuple(metric for metric in scoring.metrics if metric not in scores):
            scores |= _score(outcome, name, msgspec.structs.replace(scoring, metrics=lacking), seed)
    return Result(name, seed, scores, round(seconds, 1))


def _train(outcome: Outcome, name: str, seed: int, reporter: Reporter | None) -> float:
    """Train an arm where it is not, and return the seconds that it took."""
    study, model, began = outcome.study, outcome.model(name, seed), time.monotonic()
    if model.exists():
        return 0.0
    values: dict[str, Any] = {**study.values_of(name), "seed": seed}
    resume = (model.parent / CHECKPOINT).exists()
    with _blaming(name, seed):
        train(
            study.method,
            place_of(study, study.arms[name].on or study.on, outcome.folder),
            model.parent,
            values={} if resume else values,
            resume=resume,
            reporter=reporter,
        )
    return time.monotonic() - began


def chain_of(outcome: Outcome, name: str, scoring: Scoring, seed: int) -> str:
    """Return the chain that an arm is scored by, with the model of one of its runs."""
    text = outcome.study.arms[name].chain or scoring.chain
    return text.replace(MODEL, repr(str(outcome.model(name, seed))))


def _score(outcome: Outcome, name: str, scoring: Scoring, seed: int) -> dict[str, float]:
    return evaluate(
        place_of(outcome.study, scoring.data, outcome.folder),
        chain_of(outcome, name, scoring, seed),
        scoring.metrics,
        source=scoring.source,
        target=scoring.target,
        ports=scoring.ports,
        limit=scoring.limit,
        seed=seed * scoring.limit,
    ).scores
