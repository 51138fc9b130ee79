"""Training: the loop, its settings, and the base of every trainer."""

from __future__ import annotations

from artkit.training.report import Reporter, Silence
from artkit.training.run import export_run, train
from artkit.training.trainer import Restart, Settings, Trainer, set_trainable, trim

__all__ = ["Reporter", "Restart", "Settings", "Silence", "Trainer", "export_run", "set_trainable", "train", "trim"]
