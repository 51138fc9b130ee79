"""Running a study: data once, a training run for each arm and seed, scores of each; what is done stays done."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from artkit.chain import Chain
from artkit.data import make_dataset
from artkit.errors import ArtkitError, TrainingError, UsageError
from artkit.files import make_folder, write_atomically
from artkit.metrics import evaluate
from artkit.plugins import current_registry, resolve
from artkit.runs.record import CHECKPOINT, MODEL_FILE
from artkit.studies.protocol import MODEL, Scoring, Study
from artkit.training import Reporter, train
from artkit.training.run import split_values

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

    A study that was stopped goes on where it was, in mid-run too. Raises UsageError for a folder with another study,
    and what making data, training and scoring raise.
    """
    _check_scores(study, folder)
    _check_training(study)
    _claim_folder(study, folder)
    outcome = Outcome(study, folder, _read_results(folder))
    for name in study.data:
        _make_data(study, name, folder, note)
    for seed, name in _missing(outcome):
        note(f"{name}, seed {seed}")
        outcome.results.append(_run_arm(outcome, name, seed, reporter))
        outcome.results.sort(key=lambda one: (list(study.arms).index(one.arm), one.seed))
        write_atomically(folder / RESULTS, msgspec.json.format(msgspec.json.encode(outcome.results)), overwrite=True)
    return outcome


def _check_scores(study: Study, folder: Path) -> None:
    """Refuse chains and metrics that nothing could be scored by: later, arms would have been trained for nothing."""
    registry, outcome = current_registry(), Outcome(study, folder)
    registry.method(study.method)
    for scoring in study.scores:
        for metric in scoring.metrics:
            registry.metric(metric)
        for name in study.arms:
            for step in Chain(chain_of(outcome, name, scoring, 0)):
                registry.method(step.method)


def _check_training(study: Study) -> None:
    """Refuse settings that an arm could not be trained with, before any arm is."""
    spec = current_registry().method(study.method)
    trainer = resolve(spec.trainer, spec.name) if spec.trainer else None
    for name, arm in study.arms.items():
        if arm.trained and trainer is not None:
            with _blaming(name):
                split_values(spec, trainer, {**study.values, **arm.values})


@contextmanager
def _blaming(arm: str, seed: int | None = None) -> Iterator[None]:
    """Say in which arm something failed."""
    try:
        yield
    except ArtkitError as error:
        run = "" if seed is None else f", seed {seed}"
        raise TrainingError(f"the arm '{arm}'{run}: {error}") from error


def _claim_folder(study: Study, folder: Path) -> None:
    """Write the study into its folder, or check that it is the one that is there; more seeds are the same study."""
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
    if msgspec.structs.replace(there, seeds=study.seeds) == study:
        return
    if list(folder.iterdir()) == [record]:  # nothing came of it
        write_atomically(record, text, overwrite=True)
    else:
        raise UsageError(f"{folder} holds another study, or one of another size: give a new folder with -o.")


def _read_results(folder: Path) -> list[Result]:
    path = folder / RESULTS
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Result])
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged: remove it, and what is trained is scored again.") from error


def _missing(outcome: Outcome) -> Iterator[tuple[int, str]]:
    """List the runs that have no result, seed by seed: a study that is stopped has as many of each arm."""
    done = {(one.seed, one.arm) for one in outcome.results}
    return (
        each for seed in range(outcome.study.seeds) for name in outcome.study.arms if (each := (seed, name)) not in done
    )


def _make_data(study: Study, name: str, folder: Path, note: Callable[[str], None]) -> None:
    """Make a dataset in data/NAME; one that was not finished is made anew."""
    made, part = folder / "data" / name, folder / "data" / f".{name}.part"
    if made.exists():
        return
    note(f"data {name}")
    shutil.rmtree(part, ignore_errors=True)
    make_dataset(study.data[name].dataset, part, study.data[name].options)
    os.replace(part, made)


def _run_arm(outcome: Outcome, name: str, seed: int, reporter: Reporter | None) -> Result:
    began = time.monotonic()
    if outcome.study.arms[name].trained:
        _train(outcome, name, seed, reporter)
    seconds = time.monotonic() - began
    scores: dict[str, float] = {}
    for scoring in outcome.study.scores:
        scores |= _score(outcome, name, scoring, seed)
    return Result(name, seed, scores, round(seconds, 1))


def _train(outcome: Outcome, name: str, seed: int, reporter: Reporter | None) -> None:
    study, model = outcome.study, outcome.model(name, seed)
    if model.exists():
        return
    values: dict[str, Any] = {**study.values, **study.arms[name].values, "seed": seed}
    resume = (model.parent / CHECKPOINT).exists()
    with _blaming(name, seed):
        train(
            study.method,
            place_of(study, study.on, outcome.folder),
            model.parent,
            values={} if resume else values,
            resume=resume,
            reporter=reporter,
        )


def place_of(study: Study, name: str, folder: Path) -> str:
    """Return where data lie: made in the study's folder, or what a user calls them."""
    return str(folder / "data" / name) if name in study.data else name


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
        limit=scoring.limit,
        seed=seed * scoring.limit,
    ).scores
