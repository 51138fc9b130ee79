"""Complete checkpoints: networks, optimisers, averages, random state, and the trainer's own."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

from artkit.errors import TrainingError
from artkit.files import atomic_file, open_regular
from artkit.nn import Ema
from artkit.training.trainer import Trainer

FORMAT = 1


def save_checkpoint(path: Path, trainer: Trainer, averages: dict[str, Ema], step: int) -> None:
    """Write everything that step `step` + 1 depends on; the file appears whole or not at all."""
    state = {
        "format": FORMAT,
        "step": step,
        "networks": {name: network.state_dict() for name, network in trainer.networks.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in trainer.optimisers.items()},
        "averages": {name: ema.state_dict() for name, ema in averages.items()},
        "extra": trainer.extra_state(),
        "random": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with atomic_file(path, overwrite=True) as stream:
        torch.save(state, stream)


def load_checkpoint(path: Path, trainer: Trainer, averages: dict[str, Ema]) -> int:
    """Restore a run and return its step. Raises TrainingError when the file is damaged or of another run."""
    state = _read(path)
    try:
        for name, network in trainer.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, optimiser in trainer.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for name, ema in averages.items():
            ema.load_state_dict(state["averages"][name])
        trainer.load_extra_state(state["extra"])
        torch.set_rng_state(state["random"])
        if state["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda"])
        return _whole_number(state["step"])
    except Exception as error:  # a damaged file may hold anything in the place of anything
        raise TrainingError(f"{path} does not fit this run: {_in_short(error)}.") from error


def _whole_number(step: object) -> int:
    if not isinstance(step, int) or step < 0:
        raise ValueError(f"its step is {step!r}")
    return step


def _in_short(error: Exception) -> str:
    """Return an error's first line, with its kind where the words alone say nothing."""
    first = str(error).partition("\n")[0].rstrip(".: ")
    return first if len(first.split()) > 1 else f"{type(error).__name__} {first}".rstrip()


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise TrainingError(f"{path.parent} holds no checkpoint yet: train it longer, or, without --resume, anew.")
    try:
        with open_regular(path) as file:
            if not zipfile.is_zipfile(file):  # older forms are bare pickles, which we never wrote
                raise TrainingError(f"{path} is damaged: it is no checkpoint.")
            file.seek(0)
            state = torch.load(file, map_location="cpu", weights_only=True)
    except TrainingError:
        raise
    except OSError as error:
        raise TrainingError(f"Cannot read {path}: {error.strerror or error}.") from error
    except Exception as error:  # a damaged file makes torch raise nearly anything
        raise TrainingError(f"{path} is damaged: {_in_short(error)}.") from error
    if not isinstance(state, dict) or "format" not in state:
        raise TrainingError(f"{path} is damaged: it is no checkpoint.")
    if state["format"] != FORMAT:
        raise TrainingError(f"{path} was written by another version of artkit (format {str(state['format'])[:20]}).")
    return state
