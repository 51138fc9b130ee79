"""Making a model of foreign files: read, recognise, ask the plugins, complete the header."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch
from torch import Tensor

from artkit import __version__
from artkit.errors import ArtkitError, ModelError, OutputError, PluginError
from artkit.models.file import Model, save_model
from artkit.models.foreign.reading import read_checkpoint
from artkit.models.foreign.recognising import recognise
from artkit.models.store import user_model_path
from artkit.reporting import clean, one_line, strict
from artkit.spec import Checkpoint, ForeignFile, Hints, ModelHeader

if TYPE_CHECKING:
    from artkit.plugins import Registry

_announced: set[Path] = set()


def import_model(
    paths: Path | Sequence[Path], method: str | None, registry: Registry, hints: Hints | None = None
) -> Model:
    """Make one model of one or several foreign files, for `method`, or for whichever takes them; nothing is written.

    Plugins are asked in order (`import_checkpoint`); the first that takes the files makes the model. The tensors keep
    their precision. The header's summary says what was recognised, where the plugin wrote none. Raises ModelError for
    files that are damaged, dangerous or nothing known, PluginError for a plugin that fails.
    """
    files = tuple(_read(Path(path)) for path in ([paths] if isinstance(paths, Path) else paths))
    checkpoint = Checkpoint(files, hints or Hints())
    for plugin, take in registry.hook_impls("import_checkpoint"):
        made = _ask(plugin, take, checkpoint, method)
        if made is not None:
            header, tensors = made
            _check_finite(tensors, files)
            return Model(_completed(header, checkpoint), tensors, files[0].path)
    raise ModelError(_nobody(checkpoint, method))


def keep_model(model: Model, name: str, *, overwrite: bool = False) -> Path:
    """Write an imported model to the user's store under `name`, in the precision it came in; return its file.

    Raises OutputError when there is one of that name and `overwrite` is false, ModelError for a name that is none.
    """
    path = user_model_path(model.header.method, name)
    if path.exists() and not overwrite:
        raise OutputError(f"There is a model '{name}' already, {path}: choose another --name, or add --overwrite.")
    save_model(path, msgspec.structs.replace(model.header, name=name), model.tensors)
    return path


def announce(model: Model) -> None:
    """Say on stderr, once for each file, what it was recognised as."""
    if model.path not in _announced:
        _announced.add(model.path)
        print(clean(f"artkit: {model.path} is {model.header.summary}"), file=sys.stderr)


def _read(path: Path) -> ForeignFile:
    tensors = read_checkpoint(path)
    try:
        return ForeignFile(path, tensors, recognise(tensors))
    except ModelError as error:
        return ForeignFile(path, tensors, problem=f"{path} is {error}")


def _ask(
    plugin: str, take: Any, checkpoint: Checkpoint, method: str | None
) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    try:
        made = take(checkpoint=checkpoint, method=method)
        if made is None:
            return None
        header, tensors = made
        if not (isinstance(header, ModelHeader) and isinstance(tensors, Mapping)):
            raise TypeError("import_checkpoint() must return (ModelHeader, tensors by name) or None")
    except ArtkitError:
        raise
    except Exception as error:
        if strict():
            raise
        raise PluginError(
            f"Plugin '{plugin}' failed to import {checkpoint.files[0].path}: {one_line(error)}."
        ) from error
    return header, dict(tensors)


def _check_finite(tensors: Mapping[str, Tensor], files: tuple[ForeignFile, ...]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"{files[0].path} is damaged: tensor '{name}' holds NaN or infinite weights.")


def _completed(header: ModelHeader, checkpoint: Checkpoint) -> ModelHeader:
    hints, files = checkpoint.hints, checkpoint.files
    made: dict[str, Any] = {"imported": [file.path.name for file in files]}
    if hints.size:
        made["crop"] = hints.size
    words = " and ".join(dict.fromkeys(file.recognised.words for file in files if file.recognised))
    return msgspec.structs.replace(
        header,
        summary=header.summary or words or header.architecture,
        training={**made, **header.training},
        licence=header.licence or hints.licence,
        artkit=__version__,
    )


def _nobody(checkpoint: Checkpoint, method: str | None) -> str:
    """Say why no plugin took the files: nothing known, or nothing for this method."""
    problem = next((file.problem for file in checkpoint.files if file.problem), None)
    if problem:
        return problem
    words = "; ".join(f"{file.path} is {file.recognised.words}" for file in checkpoint.files if file.recognised)
    return f"{words}: {method or 'no installed method'} does not take that."
