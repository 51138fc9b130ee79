"""The protocol of a study: a claim, what would count against it, the arms that are compared, and their scores."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from artkit.errors import UsageError
from artkit.files import open_regular

MODEL = "{model}"
"""What stands for the trained model in the text of a chain."""
PROTOCOL = "study.toml"
MOST_BYTES = 2**20  # of a protocol

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}\Z")]
"""Names of arms and data become names of folders."""


class Made(Struct, frozen=True, forbid_unknown_fields=True):
    """A column that a chain makes `of` another one, picture by picture: the edges of photos."""

    of: Name
    chain: Text


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """Data that are made once: a dataset that `artkit data` lists, with its options, and further `columns` by name."""

    dataset: Text
    options: dict[str, Any] = {}
    columns: dict[Name, Made] = {}


class Arm(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the ways that are compared.

    `values` are the settings of its training beside those that all share; `on` are data of its own, for studies of what
    is learned from; `chain` takes the place of the chain of each scoring; `share` is its part of the steps, where
    minutes are to be equal and not steps. An arm that is not `trained` is a baseline, a chain alone.
    """

    summary: Text
    values: dict[str, Any] = {}
    on: Text | None = None
    chain: Text | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    trained: bool = True


class Scoring(Struct, frozen=True, forbid_unknown_fields=True):
    """How an arm is scored: its chain on held-out pairs, as `artkit evaluate` does; {model} stands for its model.

    `ports` are the columns that feed other ports than the first, by name: one, or several.
    """

    data: Text
    chain: Text
    metrics: Annotated[tuple[Name, ...], Meta(min_length=1)]
    source: Text | None = None
    target: Text | None = None
    ports: dict[Name, Text | tuple[Text, ...]] = {}
    limit: Annotated[int, Meta(ge=1)] = 50


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """Is a score of one arm lower, or higher, than of the one beside it, as the claim says?"""

    metric: Name
    arm: Name
    beside: Name
    expected: Literal["lower", "higher"]


class Size(Struct, frozen=True, forbid_unknown_fields=True):
    """What a size of the study changes: settings of training, options of data, pictures that are scored."""

    values: dict[str, Any] = {}
    data: dict[Name, dict[str, Any]] = {}
    limit: Annotated[int, Meta(ge=1)] | None = None


class Study(Struct, frozen=True, forbid_unknown_fields=True):
    """A study, as its `study.toml` says.

    `claim` is what is asked, `against` what would count against it, written before it is run. `method`, `on` (a name
    of `data`, a folder, or a dataset) and `values` say how arms are trained; `seeds` how often each is, with the seeds
    0, 1, ... Every arm has the same budget: `steps` and `batch` are set for all, but for an arm's `share` of the steps.
    """

    title: Text
    claim: Text
    against: Text
    method: Name
    on: Text
    arms: Annotated[dict[Name, Arm], Meta(min_length=2)]
    scores: Annotated[tuple[Scoring, ...], Meta(min_length=1)]
    questions: Annotated[tuple[Question, ...], Meta(min_length=1)]
    seeds: Annotated[int, Meta(ge=1, le=1000)] = 5
    data: dict[Name, Data] = {}
    values: dict[str, Any] = {}
    sizes: dict[Name, Size] = {}
    pictures: Annotated[int, Meta(ge=1, le=20)] = 4

    def values_of(self, name: str) -> dict[str, Any]:
        """Return the settings that an arm is trained with, but for the seed."""
        arm = self.arms[name]
        part = {} if arm.share == 1 else {"steps": max(1, round(arm.share * self.values["steps"]))}
        return {**self.values, **arm.values, **part}

    def resized(self, size: str | None) -> Study:
        """Return the study at one of its sizes, and of no other. Raises UsageError for one that it does not have."""
        if size is None:
            return msgspec.structs.replace(self, sizes={})
        if size not in self.sizes:
            known = ", ".join(self.sizes) or "one alone"
            raise UsageError(f"this study has no size '{size}'; it has {known}.")
        other = self.sizes[size]
        data = {
            name: msgspec.structs.replace(one, options={**one.options, **other.data.get(name, {})})
            for name, one in self.data.items()
        }
        scores = tuple(msgspec.structs.replace(one, limit=other.limit or one.limit) for one in self.scores)
        return msgspec.structs.replace(self, data=data, values={**self.values, **other.values}, scores=scores, sizes={})


def read_study(place: str | Path) -> Study:
    """Read a study's file, or the `study.toml` of its folder. Raises UsageError where it is not a sound one."""
    path = Path(place)
    path = path / PROTOCOL if path.is_dir() else path
    try:
        with open_regular(path) as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
        study = msgspec.convert(tomllib.loads(text.decode()), Study)
    except OSError as error:
        raise UsageError(f"the study {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the study {path} is not a sound one: {error}.") from None
    if fault := find_fault(study):
        raise UsageError(f"the study {path}: {fault}.")
    return study


def find_fault(study: Study) -> str | None:
    """Say what does not fit together in a study; None where all does."""
    metrics = [metric for one in study.scores for metric in one.metrics]
    scored = set(metrics)
    if len(scored) < len(metrics):
        return f"the metric '{max(metrics, key=metrics.count)}' is scored twice"
    for question in study.questions:
        for name in (question.arm, question.beside):
            if name not in study.arms:
                return f"a question names the arm '{name}', and the arms are {', '.join(study.arms)}"
        if question.metric not in scored:
            return f"a question names the metric '{question.metric}', and {', '.join(sorted(scored))} are scored"
    for name, arm in study.arms.items():
        shared = {"steps", "batch", "seed"} & arm.values.keys()
        if shared:
            return f"the arm '{name}' sets {', '.join(sorted(shared))}: arms have one budget, and seeds count from 0"
        if arm.share != 1 and not _sets_steps(study):
            return f"the arm '{name}' has a share of the steps, and the study's values set no number of them"
        if not arm.trained and MODEL in (arm.chain or MODEL):
            return f"the arm '{name}' is not trained, so it needs a chain of its own, without {MODEL}"
    for one in study.sizes.values():
        if unknown := one.data.keys() - study.data.keys():
            return f"a size changes the data '{min(unknown)}', which the study does not have"
    return None


def _sets_steps(study: Study) -> bool:
    """Say whether steps are a number, at every size, of which there can be a share."""
    found = [study.values.get("steps"), *(one.values.get("steps", 1) for one in study.sizes.values())]
    return all(isinstance(steps, int) and 0 < steps < 2**53 for steps in found)
