"""Checkpoints of pytorch-CycleGAN-and-pix2pix and CUT: read safely, recognised, imported, and written back.

Names load on first use, so that a plugin's hook costs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from artkit.models.foreign.checkpoint import Checkpoint, Direction, ForeignFile, Hints
from artkit.models.foreign.describing import generator_header

if TYPE_CHECKING:
    from artkit.models.foreign.exporting import export_networks, write_networks
    from artkit.models.foreign.importing import announce, import_model, keep_model
    from artkit.models.foreign.reading import read_checkpoint
    from artkit.models.foreign.recognising import Recognised, recognise

_HOMES = {
    "Recognised": "recognising",
    "announce": "importing",
    "export_networks": "exporting",
    "import_model": "importing",
    "keep_model": "importing",
    "read_checkpoint": "reading",
    "recognise": "recognising",
    "write_networks": "exporting",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"artkit.models.foreign.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'artkit.models.foreign' has no attribute '{name}'")


__all__ = [
    "Checkpoint",
    "Direction",
    "ForeignFile",
    "Hints",
    "Recognised",
    "announce",
    "export_networks",
    "generator_header",
    "import_model",
    "keep_model",
    "read_checkpoint",
    "recognise",
    "write_networks",
]
