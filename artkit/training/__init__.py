"""Training: the loop, its settings, and the base of every trainer."""

from __future__ import annotations

from artkit.training.report import NullReporter, Reporter
from artkit.training.run import export_run, train
from artkit.training.trainer import Restart, Settings, Trainer, scale_to_crop, set_trainable, slow_down, trim

__all__ = [
    "NullReporter",
    "Reporter",
    "Restart",
    "Settings",
    "Trainer",
    "export_run",
    "scale_to_crop",
    "set_trainable",
    "slow_down",
    "train",
    "trim",
]
