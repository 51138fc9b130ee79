"""What the tests of funit share: small trainers on the atelier, paired and as in the paper, and models of theirs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from artkit.data import Batches, Dataset, open_dataset
from artkit.models import save_model
from artkit.training import Settings
from artkit_funit import FunitTraining
from artkit_funit.trainer import FunitTrainer

PAIRED = "landscapes(count=12,size=[32,32],styles=[photo,ink],lights=any,partner=true,content=true,held_out=4)"
CLASSES = "styles(count=12,size=[32,32],styles=[ink,mosaic,fauve])"
TINY = {"width": 8, "encoder_blocks": 1, "blocks": 2, "detail": (6, 5), "code": 6, "class_width": 4}
SMALL: dict[str, Any] = {**TINY, "widths": (8, 6), "start_from": 4}
OF = {PAIRED: {"picture": "painting", "classes": ("time", "weather", "style")}, CLASSES: {}}


@cache
def data(text: str = PAIRED) -> Dataset:
    return open_dataset(text, "train")


def make(text: str = PAIRED, **options: Any) -> FunitTrainer:
    torch.manual_seed(0)
    settings = Settings(batch=2, crop=32, learning_rate=1e-3)
    return FunitTrainer(FunitTraining(**(SMALL | OF[text] | options)), settings, data(text))


@cache
def batch(text: str = PAIRED, step: int = 0) -> dict[str, Any]:
    trainer = make(text)
    return Batches(data(text), trainer.columns, size=2, crop=32, seed=0, prepare=trainer.prepare).at(step)


def save(trainer: FunitTrainer, path: Path) -> Path:
    header, tensors = trainer.export()
    save_model(path, header, tensors)
    return path
