"""Checks of a trainer: what it will export is a model that its translator loads, and its errors name it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import torch

from artkit.engine.blame import blame_plugin
from artkit.errors import ArtkitError, ModelError, PluginError, TrainingError
from artkit.models.file import describe_differences
from artkit.nn import is_out_of_memory
from artkit.plugins import current_registry, resolve
from artkit.reporting import one_line, strict
from artkit.spec import MethodSpec, ModelHeader
from artkit.training.trainer import Restart, Trainer
from artkit.translator import Translator


def check_export(trainer: Trainer, spec: MethodSpec) -> None:
    """Export the model as it is now and fit it into a new translator; nothing is written, no chance is used up.

    Hours of training are not to end in a model that nobody can load. Raises PluginError naming the plugin and the
    tensors that do not fit.
    """
    owner = current_registry().origin(spec.name)
    with torch.random.fork_rng(), blame_plugin(spec.name, owner):
        header, tensors = trainer.export()
        header = msgspec.json.decode(msgspec.json.encode(header), type=ModelHeader)
        try:
            translator: Translator = resolve(spec.translator, owner)(spec.options(), header)
        except ModelError as error:
            raise PluginError(f"{_faulty(spec, owner)}: {error}") from None
    if header.method != spec.name:
        raise PluginError(f"{_faulty(spec, owner)}: its header names the method '{header.method}'.")
    needed = {name: tuple(tensor.shape) for name, tensor in translator.state_dict().items()}
    networks = {name.partition(".")[0] for name in needed}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items() if name.partition(".")[0] in networks}
    if differences := describe_differences(needed, found):
        raise PluginError(f"{_faulty(spec, owner)}; {differences}.")


@contextmanager
def blame_trainer(trainer: Trainer) -> Iterator[None]:
    """Turn whatever a trainer's step raises into one line that names it; with ARTKIT_STRICT=1 let it through."""
    try:
        yield
    except (ArtkitError, Restart):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise TrainingError(f"step {trainer.step} ran out of memory: lower --batch or --crop.") from error
        if strict():
            raise
        name = f"{type(trainer).__module__}.{type(trainer).__name__}"
        raise PluginError(
            f"{name} failed in step {trainer.step}: {one_line(error)}. ARTKIT_STRICT=1 shows where."
        ) from error


def _faulty(spec: MethodSpec, owner: str) -> str:
    return f"The trainer of {spec.name} (plugin '{owner}') exports a model that its translator does not load"
