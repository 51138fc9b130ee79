"""The contract of trainers: what they train resumes bit for bit, and ends in a model that its translator runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from artkit.errors import ArtkitError, OptionError, TrainingError
from artkit.models.file import load_model
from artkit.models.header import read_header
from artkit.plugins import Registry, current_registry, resolve, use_registry
from artkit.reporting import one_line
from artkit.runs.record import CHECKPOINT
from artkit.spec import MethodSpec, ModelHeader
from artkit.testing.examples import write_example
from artkit.testing.faults import gathered, refuse
from artkit.training import NullReporter, Trainer, train
from artkit.training.run import split_values
from artkit.training.trainer import Settings

STEPS = 4
CROPS = (32, 48, 64, 96, 128, 256)
"""Sides of crops that are tried in turn, until the networks take one."""
SHORT = {"steps": STEPS, "batch": 2, "log_every": 1, "sample_every": STEPS, "checkpoint_every": STEPS // 2}
PLAIN = {"device": "cpu", "precision": "fp32", "ema": 0.5}


def check_trainer(
    name: str,
    registry: Registry,
    folder: Path,
    *,
    data: str | Path | None = None,
    values: Mapping[str, Any] | None = None,
) -> Path:
    """Train a registered method for a few steps in `folder`, and raise AssertionError listing every fault.

    Checked: a run of four steps equals one that is stopped after two and resumed, bit for bit, on a CPU; what is
    exported is a model whose header fits the method's ports and keeps its content in a file; a run may start from the
    model, or compute in bf16. `data`, a folder or a dataset's name, is made up where it is left out; `values` are
    settings and training options, small ones, so that it is quick. Returns the model's path: check it with
    `check_method(model=...)`.
    """
    faults, model = trainer_faults(name, registry, folder, data=data, values=values)
    refuse(f"the trainer of {name}", faults)
    assert model is not None
    return model


def trainer_faults(
    name: str,
    registry: Registry,
    folder: Path,
    *,
    data: str | Path | None = None,
    values: Mapping[str, Any] | None = None,
) -> tuple[list[str], Path | None]:
    """Return what is wrong with a trainer, one line each, and the model it made, if it made one."""
    spec = registry.method(name)
    source = data or write_example(spec.trains_on, folder / "data")
    with _used(registry):
        try:
            model, used = _train_first(spec, source, folder / "whole", dict(values or {}))
        except Exception as error:  # a plugin's code may raise anything
            return [f"it does not train: {one_line(error)}"], None
        faults = gathered(_resume_faults(spec, source, folder, used))
        faults += gathered(_header_faults(spec, read_header(model)))
        faults += gathered(_start_faults(spec, source, folder, model, used))
        faults += gathered(_half_faults(spec, source, folder, used))
    return faults, model


def _train_first(spec: MethodSpec, data: str | Path, run: Path, values: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """Train on the smallest crops that the networks take; return the model and the values that it was trained with."""
    used = SHORT | PLAIN | values
    crops = [values["crop"]] if "crop" in values else list(CROPS)
    for crop in crops[:-1]:
        try:
            return train(spec.name, data, run, values=used | {"crop": crop}), used | {"crop": crop}
        except OptionError as error:
            if "crop" not in str(error):
                raise
    return train(spec.name, data, run, values=used | {"crop": crops[-1]}), used | {"crop": crops[-1]}


class _Stopped(Exception):
    """Ends a run as a killed process would."""


class _Stopper(NullReporter):
    """Stops a run in the step after `last`, whose checkpoint is written by then."""

    def __init__(self, last: int) -> None:
        self.last = last

    def tick(self, step: int) -> None:
        if step > self.last:
            raise _Stopped


def _resume_faults(spec: MethodSpec, data: str | Path, folder: Path, values: dict[str, Any]) -> Iterator[str]:
    run, half = folder / "resumed", STEPS // 2
    with suppress(_Stopped):
        train(spec.name, data, run, values=values, reporter=_Stopper(half))
    try:
        train(spec.name, "", run, values={}, resume=True)
    except ArtkitError as error:
        yield f"a run that was stopped does not go on: {one_line(error)}"
        return
    where = first_difference(_read(folder / "whole" / CHECKPOINT), _read(run / CHECKPOINT))
    if where:
        yield (
            f"{half} steps, a stop and {half} more are not {STEPS} steps, first in {where}: draw chance from torch "
            "alone, and return what else a step depends on from extra_state()"
        )


def _read(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return state


def first_difference(one: Any, other: Any, where: str = "") -> str:
    """Return the place, `networks.generator.enter.weight`, of the first difference of two states; "" for none."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return "" if torch.equal(one, other) else where
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() != other.keys():
            return where or "its parts"
        pairs = [(str(key), one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = [(str(index), *both) for index, both in enumerate(zip(one, other, strict=True))]
    else:
        return "" if one == other else where
    return next(filter(None, (first_difference(a, b, f"{where}.{key}".lstrip(".")) for key, a, b in pairs)), "")


def _header_faults(spec: MethodSpec, header: ModelHeader) -> Iterator[str]:
    """Compare a model's header with the method's ports, and with what a file keeps of it."""
    ports = [port.name for port in spec.inputs]
    for name in header.inputs.keys() - set(ports):
        yield f"its model's header has the input '{name}', and the method no such port: {', '.join(ports)}"
    if spec.inputs and ports[0] not in header.inputs and spec.inputs[0].required:
        yield f"its model's header says nothing of the input '{ports[0]}': inputs={{'{ports[0]}': Kind...}}"
    if header.output is not spec.output:
        yield f"its model's header gives '{header.output}', and the method '{spec.output}'"
    if msgspec.json.decode(msgspec.json.encode(header), type=ModelHeader) != header:
        yield "its model's header is another after it was written and read: keep to tables, lists, numbers and text"


def _half_faults(spec: MethodSpec, data: str | Path, folder: Path, values: dict[str, Any]) -> Iterator[str]:
    """Take a step as machines with bf16 units do unless told otherwise."""
    try:
        train(spec.name, data, folder / "half", values=values | {"precision": "bf16", "steps": 1})
    except ArtkitError as error:
        yield f"it does not train in bf16: {one_line(error)}"


def _start_faults(
    spec: MethodSpec, data: str | Path, folder: Path, model: Path, values: dict[str, Any]
) -> Iterator[str]:
    """Start a run from the model: with the settings alone, as people do, or with the options that the data needs."""
    shared = {name: value for name, value in values.items() if name in Settings.__struct_fields__}
    start = {"start": str(model), "steps": 1}
    trainer: type[Trainer] = resolve(spec.trainer or "", spec.name)
    try:
        split_values(spec, trainer, trainer.options_of(load_model(model)))
    except ArtkitError as error:
        yield f"options_of(model) returns options that it does not have: {one_line(error)}"
        return
    try:
        train(spec.name, data, folder / "started", values=shared | start)
    except TrainingError as error:
        yield f"no run can start from its model: options_of(model) does not say how it was built. {one_line(error)}"
    except ArtkitError:
        train(spec.name, data, folder / "started", values=values | start)


@contextmanager
def _used(registry: Registry) -> Iterator[None]:
    """Make `registry` the one that training asks while the block runs."""
    before = current_registry()
    use_registry(registry)
    try:
        yield
    finally:
        use_registry(before)
