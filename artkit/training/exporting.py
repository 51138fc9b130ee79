"""The model of a run, as it is at a step: its header says how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from artkit import __version__
from artkit.models.file import save_model
from artkit.training.trainer import Trainer


def export_trainer(trainer: Trainer, data: str, file: Path, facts: Mapping[str, Any] | None = None) -> Path:
    """Write the trainer's model, in half precision, with how it was made in its header; return its path.

    `facts` are more to say of it: the step, its score.
    """
    header, tensors = trainer.export()
    settings = trainer.settings
    made = {"data": Path(data).name, "steps": settings.steps, "batch": settings.batch, "crop": settings.crop}
    made |= {"accumulate": settings.accumulate} if settings.accumulate > 1 else {}
    made |= {"load_size": settings.load_size} if settings.load_size else {}
    header = msgspec.structs.replace(
        header,
        name=settings.name or header.name,
        licence=settings.licence or header.licence,
        artkit=__version__,
        training={**made, "seed": settings.seed, **header.training, **(facts or {})},
    )
    save_model(file, header, tensors, half=True)
    return file
