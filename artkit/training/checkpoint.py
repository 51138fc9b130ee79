"""Complete checkpoints: networks, optimisers, averages, random state, and the trainer's own."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import torch

from artkit.errors import TrainingError
from artkit.files import atomic_file, open_regular
from artkit.nn import Ema
from artkit.training.distribution import Processes
from artkit.training.trainer import Trainer

FORMAT = 2


class Stateful(Protocol):
    """A part of the loop that a checkpoint keeps."""

    def state(self) -> dict[str, Any]:
        """Return everything `load_state` needs."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""


def save_checkpoint(
    path: Path | BytesIO,
    trainer: Trainer,
    averages: dict[str, Ema],
    step: int,
    processes: Processes | None = None,
    parts: Mapping[str, Stateful] | None = None,
) -> None:
    """Write everything that step `step` + 1 depends on; the file appears whole or not at all.

    `parts` are those of the loop. Of several processes, all call this and the first writes a file: what each holds for
    itself goes along. Into memory, where `path` is a stream, every process writes.
    """
    processes = processes or Processes()
    own = {
        "extra": trainer.extra_state(),
        "random": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "loop": {name: part.state() for name, part in (parts or {}).items()},
    }
    held = processes.gather(own)
    if isinstance(path, Path) and not processes.first:
        return
    state = {
        "format": FORMAT,
        "step": step,
        "networks": {name: network.state_dict() for name, network in trainer.networks.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in trainer.optimisers.items()},
        "averages": {name: ema.state_dict() for name, ema in averages.items()},
        "processes": held,
    }
    if isinstance(path, BytesIO):
        torch.save(state, path)
        return
    with atomic_file(path, overwrite=True) as stream:
        torch.save(state, stream)


def load_checkpoint(
    path: Path | BytesIO,
    trainer: Trainer,
    averages: dict[str, Ema],
    processes: Processes | None = None,
    parts: Mapping[str, Stateful] | None = None,
) -> int:
    """Restore a run and return its step; to look at it alone, `processes` and `parts` are left out.

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
        own = _own_state(path, state["processes"], processes)
        trainer.load_extra_state(own["extra"])
        kept = own.get("loop", {})  # checkpoints of before have none
        for name, part in (parts or {}).items():
            if name in kept:
                part.load_state(kept[name])
        torch.set_rng_state(own["random"])
        if own["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(own["cuda"])
        return _whole_number(state["step"])
    except TrainingError:
        raise
    except Exception as error:  # a damaged file may hold anything in the place of anything
        raise TrainingError(f"{path} does not fit this run: {_in_short(error)}.") from error


def _own_state(path: Path | BytesIO, states: list[dict[str, Any]], processes: Processes | None) -> dict[str, Any]:
    """Return what this process held for itself. Raises TrainingError in a run of another number of processes."""
    count = len(states)
    if processes and count != processes.count:
        how = f"torchrun --nproc-per-node {count} -m artkit train" if count > 1 else "artkit train, without torchrun"
        raise TrainingError(f"{path} is of a run of {count} processes, these are {processes.count}: {how}.")
    return states[processes.rank if processes else 0]


def _whole_number(step: object) -> int:
    if not isinstance(step, int) or step < 0:
        raise ValueError(f"its step is {step!r}")
    return step


def _in_short(error: Exception) -> str:
    """Return an error's first line, with its kind where the words alone say nothing."""
    first = str(error).partition("\n")[0].rstrip(".: ")
    return first if len(first.split()) > 1 else f"{type(error).__name__} {first}".rstrip()


def _read(path: Path | BytesIO) -> dict[str, Any]:
    if isinstance(path, BytesIO):
        path.seek(0)
        state = torch.load(path, map_location="cpu", weights_only=True)
        assert isinstance(state, dict)
        return state
    if not path.exists():
        raise TrainingError(f"{path.parent} holds no checkpoint yet: train it longer, or, without --resume, anew.")
    try:
        with open_regular(path) as file:
            state = _load(path, file)
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


def _load(path: Path, file: BinaryIO) -> Any:
    if not zipfile.is_zipfile(file):  # older forms are bare pickles, which we never wrote
        raise TrainingError(f"{path} is damaged: it is no checkpoint.")
    file.seek(0)
    return torch.load(file, map_location="cpu", weights_only=True)
