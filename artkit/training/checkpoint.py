"""Complete checkpoints: networks, optimisers, averages, random state, and the trainer's own."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from artkit.errors import TrainingError
from artkit.files import atomic_file
from artkit.nn import Ema
from artkit.training.distribution import Processes
from artkit.training.trainer import Trainer

FORMAT = 2


def save_checkpoint(
    path: Path, trainer: Trainer, averages: dict[str, Ema], step: int, processes: Processes | None = None
) -> None:
    """Write everything that step `step` + 1 depends on; the file appears whole or not at all.

    Of several processes, all call this and the first writes: what each holds for itself goes along.
    """
    processes = processes or Processes()
    own = {
        "extra": trainer.extra_state(),
        "random": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    held = processes.gather(own)
    if not processes.first:
        return
    state = {
        "format": FORMAT,
        "step": step,
        "networks": {name: network.state_dict() for name, network in trainer.networks.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in trainer.optimisers.items()},
        "averages": {name: ema.state_dict() for name, ema in averages.items()},
        "processes": held,
    }
    with atomic_file(path, overwrite=True) as stream:
        torch.save(state, stream)


def load_checkpoint(path: Path, trainer: Trainer, averages: dict[str, Ema], processes: Processes | None = None) -> int:
    """Restore a run and return its step; to look at it alone, `processes` are left out.

    Raises TrainingError when the file is damaged, of another run, or of a run of another number of processes.
    """
    state = _read(path)
    try:
        for name, network in trainer.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, optimiser in trainer.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for name, ema in averages.items():
            ema.load_state_dict(state["averages"][name])
        count = len(state["processes"])
        if processes and count != processes.count:
            how = (
                f"torchrun --nproc-per-node {count} -m artkit train" if count > 1 else "artkit train, without torchrun"
            )
            raise TrainingError(f"{path} is of a run of {count} processes, these are {processes.count}: {how}.")
        own = state["processes"][processes.rank if processes else 0]
        trainer.load_extra_state(own["extra"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise TrainingError(f"{path} does not fit this run: {str(error).splitlines()[0]}") from error
    torch.set_rng_state(own["random"])
    if own["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(own["cuda"])
    return int(state["step"])


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise TrainingError(f"{path.parent} holds no checkpoint yet: train it longer, or, without --resume, anew.")
    if not zipfile.is_zipfile(path):  # older forms are bare pickles, which we never wrote
        raise TrainingError(f"{path} is damaged: it is no checkpoint.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["format"] != FORMAT:
            raise TrainingError(f"{path} was written by another version of artkit (format {state['format']}).")
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, OSError, ValueError) as error:
        raise TrainingError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
    return state
