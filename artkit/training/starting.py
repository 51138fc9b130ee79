"""Starting a run from a model instead of from chance: its options first, then its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artkit.errors import TrainingError
from artkit.models.file import Model, describe_differences
from artkit.models.opening import open_model
from artkit.models.store import find_model
from artkit.plugins import current_registry
from artkit.spec import MethodSpec
from artkit.training.trainer import Trainer


def starting_model(spec: MethodSpec, start: str) -> Model:
    """Load the model that `start` means: a name as in `METHOD(model=NAME)`, or a file, foreign ones included."""
    return open_model(find_model(spec.name, start, current_registry(), None), spec.name, current_registry())


def starting_options(spec: MethodSpec, trainer: type[Trainer], values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with the options of the model named in `values["start"]` where they say nothing themselves."""
    start = values.get("start")
    return {**trainer.options_of(starting_model(spec, str(start))), **values} if start else values


def load_start(trainer: Trainer, model: Model) -> list[str]:
    """Copy a model's tensors, as the trainer fits them, into the networks of the same name, and return the names.

    The other networks stay as drawn. Raises TrainingError when a network does not fit, or none is there.
    """
    model = trainer.fit_start(model)
    loaded = [name for name, network in trainer.networks.items() if _load(name, network, model)]
    if not loaded:
        wanted = " or ".join(trainer.networks)
        raise TrainingError(f"{_where(model.path)} holds no network that is trained here: {wanted}.")
    return loaded


def _load(name: str, network: Any, model: Model) -> bool:
    own = {key.removeprefix(f"{name}."): tensor for key, tensor in model.tensors.items() if key.startswith(f"{name}.")}
    if not own:
        return False
    needed = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    if differences := describe_differences(needed, {key: tuple(tensor.shape) for key, tensor in own.items()}, shown=1):
        raise TrainingError(
            f"{_where(model.path)}: its {name} is not the one in training; {differences}. "
            "Leave out options of networks, which the model brings along, or check that the data has its channels."
        )
    network.load_state_dict(own)
    return True


def _where(path: Path) -> str:
    return f"start={path}"
