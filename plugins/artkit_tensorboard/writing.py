"""Events of a run as TensorBoard reads them: scalars by step, and the sample sheets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from artkit import UsageError
from artkit.images import read_picture

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from artkit.spec import TrainingEvent

FOLDER = "tensorboard"
_writers: dict[Path, SummaryWriter] = {}


def write_event(event: TrainingEvent) -> None:
    """Write losses, the learning rate, held-out scores or a sheet into `RUN/tensorboard`; the end closes the file.

    Where a run begins, or goes on from, what was written of later steps is hidden. Raises UsageError where TensorBoard
    is not here.
    """
    if event.kind == "start":
        _close(event.run)
        _writers[event.run] = _open(event.run, event.step)
    writer = _writers[event.run]
    for name, value in event.losses.items():
        writer.add_scalar(f"losses/{name}", value, event.step)
    for name, value in event.scores.items():
        writer.add_scalar(f"held-out/{name}", value, event.step)
    if event.kind == "step":
        writer.add_scalar("learning rate", event.learning_rate, event.step)
    elif event.kind == "sample":
        sheet = read_picture(event.run / "samples" / f"{event.step:06d}.png")
        writer.add_image("sheet", sheet.tensor[0], event.step)
    elif event.kind == "checkpoint":
        writer.flush()
    elif event.kind == "end":
        _close(event.run)


def _open(run: Path, step: int) -> SummaryWriter:
    if importlib.util.find_spec("tensorboard") is None:
        raise UsageError("ARTKIT_TENSORBOARD=1 needs TensorBoard, which is not here: pip install tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(run / FOLDER, purge_step=step + 1)


def _close(run: Path) -> None:
    if run in _writers:
        _writers.pop(run).close()
