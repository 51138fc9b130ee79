"""Opening the model a step names, artkit's own file or another program's; torch comes along for foreign files only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from artkit.models.header import is_foreign, read_header
from artkit.spec import ModelHeader

if TYPE_CHECKING:
    from artkit.models.file import Model
    from artkit.plugins import Registry


def open_header(path: Path, method: str | None, registry: Registry) -> ModelHeader:
    """Return the header of a model file, or the one a foreign checkpoint would get, and say what that is.

    `method` is the one that wants the model; None lets a foreign file find its own. Raises ModelError.
    """
    if not is_foreign(path):
        return read_header(path)
    from artkit.models.foreign import announce, import_model

    model = import_model(path, method, registry)
    announce(model)
    return model.header


def open_model(path: Path, method: str | None, registry: Registry) -> Model:
    """Load a model file, or import a foreign checkpoint without writing anything. Raises ModelError."""
    if is_foreign(path):
        from artkit.models.foreign import import_model

        return import_model(path, method, registry)
    from artkit.models.file import load_model

    return load_model(path)
