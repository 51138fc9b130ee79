"""Loading what a step computes with: its translator, with the weights of its model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from artkit.chain.plan import PlannedStep
from artkit.engine.blame import blame_plugin
from artkit.engine.devices import PRECISIONS
from artkit.errors import ModelError
from artkit.models.file import load_into, model_hash
from artkit.models.opening import load_opened, stamp
from artkit.plugins import Registry, resolve
from artkit.translator import Translator


@dataclass(frozen=True)
class Loaded:
    """A translator ready to run, and the hash of the model file that its weights came from; None without weights."""

    translator: Translator
    digest: str | None


def load_step(planned: PlannedStep, registry: Registry, device: torch.device, precision: str) -> Loaded:
    """Load a step's translator and hash its model file, once. Raises PluginError, or ModelError naming the file."""
    file = planned.file
    digest = model_hash(file.path) if file else None
    translator = load_translator(planned, registry, device, precision)
    if file and stamp(file.path) != file.stamp:
        raise ModelError(f"{file.path} changed while it was being read: run again.")
    return Loaded(translator, digest)


def load_translator(planned: PlannedStep, registry: Registry, device: torch.device, precision: str) -> Translator:
    """Build a step's translator, load its weights, and place it. Raises PluginError or ModelError."""
    factory = resolve(planned.spec.translator, planned.plugin)
    with blame_plugin(planned.spec.name, planned.plugin):
        try:
            translator: Translator = factory(planned.options, planned.header)
        except ModelError as error:
            raise ModelError(f"{planned.file.path}: {error}" if planned.file else str(error)) from None
    if planned.file:
        model = load_opened(planned.file, registry)
        load_into(translator, _of_its_networks(translator, model.tensors), planned.file.path)
    translator.eval().requires_grad_(False)
    placed = translator.to(device, PRECISIONS[precision], memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(placed, Translator)
    return placed


def _of_its_networks(translator: Translator, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the networks a translator has; a model may hold others, such as discriminators."""
    networks = {name.partition(".")[0] for name in translator.state_dict()}
    return {name: tensor for name, tensor in tensors.items() if name.partition(".")[0] in networks}
