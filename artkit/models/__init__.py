"""The model file and the store; names load on first use, so that reading a header costs no torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from artkit.models.catalogue import find_entry, list_entries
from artkit.models.header import ModelHeader, read_header
from artkit.models.store import StoredModel, data_home, find_model, list_models, user_model_path

if TYPE_CHECKING:
    from artkit.models.file import Model, load_into, load_model, model_hash, save_model
    from artkit.models.pulling import Pulled, pull_model

_FILE_NAMES = ("Model", "load_into", "load_model", "model_hash", "save_model")
_PULLING_NAMES = ("Pulled", "pull_model")


def __getattr__(name: str) -> Any:
    if name in _FILE_NAMES:
        return getattr(import_module("artkit.models.file"), name)
    if name in _PULLING_NAMES:
        return getattr(import_module("artkit.models.pulling"), name)
    raise AttributeError(f"module 'artkit.models' has no attribute '{name}'")


__all__ = [
    "Model",
    "ModelHeader",
    "Pulled",
    "StoredModel",
    "data_home",
    "find_entry",
    "find_model",
    "list_entries",
    "list_models",
    "load_into",
    "load_model",
    "model_hash",
    "pull_model",
    "read_header",
    "save_model",
    "user_model_path",
]
