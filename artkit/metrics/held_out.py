"""Held-out pictures that a chain is run on: what it starts from, what else it is fed, and what it should give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain
from artkit.data import BEFORE, BEFORE2, Column, Dataset
from artkit.data.batches import resize_sample
from artkit.engine.runner import Runner
from artkit.errors import UsageError
from artkit.images import Picture
from artkit.plugins import current_registry
from artkit.spec import Kind

EARLIER = (BEFORE, BEFORE2)
"""Columns of the frames before a clip's frame, the nearest first."""
Ports = Mapping[str, str | Sequence[str]]
"""Columns that feed the ports of a chain, by the port's name: one, or several for a port that takes many."""


@dataclass(frozen=True)
class Trial:
    """One picture to make: what it starts from (None: a dream), the frames before that (the nearest first), what is fed
    by port, what is known of it, the goal.
    """

    given: Picture | None
    before: list[Picture]
    fed: dict[str, Picture | list[Picture]]
    facts: dict[str, str]
    wanted: Picture


class HeldOut:
    """The trials of a dataset for a chain.

    `source` and `target` are the columns that it starts from, None where it dreams, and is compared with; chosen where
    they are left out. Raises DataError for columns that do not fit, ChainError and UsageError.
    """

    def __init__(
        self,
        dataset: Dataset,
        chain: Chain,
        *,
        source: str | None = None,
        target: str | None = None,
        ports: Ports | None = None,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        self.dataset, self.chain = dataset, chain
        self._device, self._precision = device, precision
        self._feeding = {port: _columns(dataset, names) for port, names in (ports or {}).items()}
        columns = [column for some in self._feeding.values() for column in some]
        sample = dataset.load(0, [column.name for column in columns]) if columns else {}
        self._runner = self._plan(self._fed(sample))
        plan = self._runner.plan
        if source and not plan.has_input:
            raise UsageError(f"{chain} starts from nothing, so there is no source: leave it out.")
        self.output = plan.output
        self.source, self.target = choose_columns(dataset, plan.output, source, target, dreams=not plan.has_input)
        self._before = [dataset.column(name) for name in EARLIER[: plan.look_back] if name in dataset.columns]
        columns += [column for column in (self.source, self.target, *self._before) if column]
        self._shown = list(dict.fromkeys(column.name for column in columns))
        self._told = [name for name, column in dataset.columns.items() if column.kind is Kind.TEXT]

    def __len__(self) -> int:
        """Return how many trials there are."""
        return min(self.dataset.count(name) for name in self._shown)

    def load(self, index: int, load_size: int = 0) -> Trial:
        """Return a trial, its pictures scaled to so many pixels on their shortest side; 0 leaves them."""
        sample = self.dataset.load(index, [*self._shown, *self._told])
        sample = resize_sample(sample, load_size) if load_size else sample
        facts = {name: str(sample[name]) for name in self._told}
        given = self.source.picture(sample[self.source.name]) if self.source else None
        before = [column.picture(sample[column.name]) for column in self._before]
        return Trial(given, before, self._fed(sample), facts, self.target.picture(sample[self.target.name]))

    def run(self, trial: Trial, seed: int) -> Picture:
        """Return what the chain makes of a trial; a dream has the size of what is wanted."""
        runner = self._plan(trial.fed) if self._feeding else self._runner  # what feeds a port is part of a plan
        size = None if trial.given else (trial.wanted.width, trial.wanted.height)
        return runner.run(trial.given, before=trial.before, seed=seed, size=size, facts=trial.facts)[-1].picture

    def _fed(self, sample: Mapping[str, Any]) -> dict[str, Picture | list[Picture]]:
        found = {port: [one.picture(sample[one.name]) for one in columns] for port, columns in self._feeding.items()}
        return {port: some if len(some) > 1 else some[0] for port, some in found.items()}

    def _plan(self, fed: Mapping[str, Any]) -> Runner:
        registry, chain = current_registry(), self.chain
        ports = registry.method(chain[0].method).inputs
        has_input = bool(ports)
        if ports and not ports[0].required:  # such as semgan's, of which a model may only dream
            header = plan_chain(chain, registry, has_input=False, ports=fed).steps[0].header
            has_input = header is None or bool(header.inputs)
        plan = plan_chain(chain, registry, has_input=has_input, ports=fed)
        return Runner(plan, device=self._device, precision=self._precision)


def choose_columns(
    dataset: Dataset, output: Kind, source: str | None, target: str | None, *, dreams: bool = False
) -> tuple[Column | None, Column]:
    """Return the columns that a chain giving `output` starts from, none where it `dreams`, and is compared with.

    None chooses those that fit. Raises DataError where none does.
    """
    first = (Kind.IMAGE, Kind.LABELS) if output is Kind.LABELS else (Kind.LABELS, Kind.IMAGE)
    inputs = None if dreams else dataset.column(source) if source else dataset.first(*first, besides=[target or ""])
    besides = [inputs.name] if inputs else []
    return inputs, dataset.column(target) if target else dataset.first(output, besides=besides)


def _columns(dataset: Dataset, names: str | Sequence[str]) -> list[Column]:
    return [dataset.column(name) for name in ([names] if isinstance(names, str) else names)]
