"""Opening the model a step names, artkit's own file or another program's; torch comes along for foreign files only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.errors import ModelError
from artkit.models.header import is_foreign, read_header
from artkit.spec import ModelHeader

if TYPE_CHECKING:
    from artkit.models.file import Model
    from artkit.plugins import Registry


@dataclass(frozen=True)
class ModelFile:
    """A model file whose header has been read; `foreign` where another program wrote it.

    `stamp` tells it from a file that takes its place later.
    """

    path: Path
    header: ModelHeader
    foreign: bool = False
    stamp: tuple[int, ...] = ()


def stamp(path: Path) -> tuple[int, ...]:
    """Return what tells a file from another of its name: inode, time of change and size; empty when missing."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def open_file(path: Path, method: str | None, registry: Registry) -> ModelFile:
    """Read the header of a model file, or make the one a foreign checkpoint would get, and say what that is.

    `method` is the one that wants the model; None lets a foreign file find its own. Raises ModelError.
    """
    found = stamp(path)
    try:
        return ModelFile(path, read_header(path), stamp=found)
    except ModelError:
        if not is_foreign(path):
            raise
    from artkit.models.foreign import announce, import_model

    model = import_model(path, method, registry)
    announce(model)
    return ModelFile(path, model.header, foreign=True, stamp=found)


def open_header(path: Path, method: str | None, registry: Registry) -> ModelHeader:
    """Return the header that `open_file` finds. Raises ModelError."""
    return open_file(path, method, registry).header


def open_model(path: Path, method: str | None, registry: Registry) -> Model:
    """Load a model file, or import a foreign checkpoint without writing anything. Raises ModelError."""
    if is_foreign(path):
        from artkit.models.foreign import import_model

        return import_model(path, method, registry)
    from artkit.models.file import load_model

    return load_model(path)


def load_opened(file: ModelFile, registry: Registry) -> Model:
    """Load the tensors of a file whose header was read before. Raises ModelError."""
    if file.foreign:
        from artkit.models.foreign import import_model

        return import_model(file.path, file.header.method, registry)
    from artkit.models.file import load_model

    return load_model(file.path, file.header)
