"""What the tests of spade share: small trainers on the atelier, and models of theirs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from artkit.data import Batches, Dataset, open_dataset
from artkit.models import save_model
from artkit.training import Settings
from artkit_spade import SpadeTraining
from artkit_spade.trainer import SpadeTrainer

DATA = "landscapes(count=10,size=[32,32],styles=[photo,ink],lights=any,partner=true)"
SMALL = {"target": "painting", "width": 8, "blocks": 2, "detail": (8, 8), "code": 6, "encoder_width": 4}
SMALL |= {"widths": (8, 8), "start_from": 4, "default_conditions": ("noon", "photo")}
CONCATENATED = SMALL | {"network": "concatenated", "norm": "instance"}
PAPER = SMALL | {"network": "paper", "width": 4, "noise": "none", "mismatched": 0.0}


@cache
def data() -> Dataset:
    return open_dataset(DATA, "train")


def make(seed: int = 0, dataset: Dataset | None = None, **options: Any) -> SpadeTrainer:
    torch.manual_seed(seed)
    settings = Settings(batch=2, crop=32, learning_rate=1e-3)
    return SpadeTrainer(SpadeTraining(**(SMALL | options)), settings, data() if dataset is None else dataset)


@cache
def batch(step: int = 0) -> dict[str, Any]:
    trainer = make()
    return Batches(data(), trainer.columns, size=2, crop=32, seed=0, prepare=trainer.prepare).at(step)


def save(trainer: SpadeTrainer, path: Path) -> Path:
    header, tensors = trainer.export()
    save_model(path, header, tensors)
    return path
