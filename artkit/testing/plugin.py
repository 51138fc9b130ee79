"""All that a plugin offers, as checks that are run one by one: by `artkit plugins check`, and by pytest as tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from artkit.chain.steps import Step
from artkit.errors import UsageError, nearest
from artkit.plugins import Registry
from artkit.spec import DatasetSpec, MethodSpec, MetricSpec, ModelSpec, describe_options
from artkit.testing.contract import declaration_faults, implementation_faults, method_faults
from artkit.testing.offers import dataset_faults, metric_faults, model_faults
from artkit.testing.trainers import trainer_faults


class NotChecked(Exception):
    """Says why a check cannot be run."""


@dataclass(frozen=True)
class Check:
    """One check of one thing that a plugin offers; `run` returns the faults, or raises NotChecked."""

    subject: str
    name: str
    run: Callable[[], list[str]]

    @property
    def page(self) -> str:
        """The page of the docs, and its heading, that say how to mend the faults."""
        return f"docs/contract.md#{self.name}"


@dataclass(frozen=True)
class Given:
    """What the checks of a plugin go by besides the plugin.

    `folder` takes training runs. `model`: for methods without one. `data` and `values` are for training, see
    `check_trainer`. `docs`: the text that should name the options, None where there is none to look at.
    """

    folder: Path
    model: Path | None = None
    data: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    docs: str | None = None


def plugin_checks(plugin: str, registry: Registry, given: Given) -> Iterator[Check]:
    """Yield the checks of a plugin, by its name. Raises UsageError when there is none of that name."""
    info = next((info for info in registry.plugins if info.name == plugin), None)
    if info is None:
        raise UsageError(f"There is no plugin '{plugin}'.{nearest(plugin, [one.name for one in registry.plugins])}")
    if info.error is not None:
        yield Check(f"plugin {plugin}", "declaration", partial(list, [info.error]))
    for spec in registry.offers(plugin):
        if isinstance(spec, MethodSpec):
            yield from _method_checks(spec, registry, given)
        elif isinstance(spec, ModelSpec) and spec.file is not None:
            yield Check(f"model {spec.method}/{spec.name}", "models", partial(model_faults, spec))
        elif isinstance(spec, DatasetSpec):
            yield Check(f"dataset {spec.name}", "datasets", partial(dataset_faults, spec, registry))
        elif isinstance(spec, MetricSpec):
            yield Check(f"metric {spec.name}", "metrics", partial(metric_faults, spec, registry))


def _method_checks(spec: MethodSpec, registry: Registry, given: Given) -> Iterator[Check]:
    subject = f"method {spec.name}"
    running = _Running(spec, registry, given)
    yield Check(subject, "declaration", lambda: list(declaration_faults(spec)))
    yield Check(subject, "code", lambda: list(implementation_faults(spec)))
    if spec.trainer is not None:
        yield Check(subject, "training", lambda: running.trained[0])
    yield Check(subject, "behaviour", running.behaviour)
    if given.docs is not None:
        yield Check(subject, "docs", partial(_docs_faults, spec, given.docs))


class _Running:
    """A method's checks that run it: trained once, for the checks of its trainer and of what it trained."""

    def __init__(self, spec: MethodSpec, registry: Registry, given: Given) -> None:
        self.spec, self.registry, self.given = spec, registry, given

    @cached_property
    def trained(self) -> tuple[list[str], Path | None]:
        """The trainer's faults, and the model it made."""
        given = self.given
        folder = given.folder / self.spec.name
        return trainer_faults(self.spec.name, self.registry, folder, data=given.data, values=given.values)

    def behaviour(self) -> list[str]:
        """Run the method with the model that was given, its default, or the one that was trained."""
        model = self.given.model if self.spec.has_models else None
        if model is None and self.spec.needs_model and self.spec.default_model is None:
            model = self.trained[1] if self.spec.trainer else None
            if model is None:
                raise NotChecked("it has no model to run with: --model FILE")
        return method_faults(Step(self.spec.name, {"model": str(model)} if model else {}), self.registry)


def _docs_faults(spec: MethodSpec, docs: str) -> list[str]:
    """List the options that the docs do not name."""
    both = (("option", spec.options), ("training option", spec.training_options))
    names = [(word, option.name) for word, options in both for option in describe_options(options)]
    return [
        f"the {word} '{name}' is named neither in README.md nor in docs/"
        for word, name in names
        if not re.search(rf"\b{re.escape(name)}\b", docs)
    ]
