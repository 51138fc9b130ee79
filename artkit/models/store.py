"""Where models lie: a path, the user's data folder, or inside a plugin's package; nothing here imports torch."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from artkit.errors import ArtkitError, ModelError, excerpt, nearest
from artkit.models.catalogue import entries_called, find_entry, how_to_pull
from artkit.models.header import read_header
from artkit.spec import ClassSet, ModelHeader, ModelSpec

if TYPE_CHECKING:
    from artkit.plugins import Registry

SUFFIX = ".safetensors"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class StoredModel:
    """A model `artkit models` lists. `origin` is `"packaged"` or `"user"`; a damaged one has `error`, no `header`."""

    name: str
    method: str
    path: Path
    origin: str
    spec: ModelSpec | None = None
    header: ModelHeader | None = None
    error: str | None = None


def data_home() -> Path:
    """Return the user's data folder: `ARTKIT_HOME`, else the platform's own (on Linux `~/.local/share/artkit`)."""
    home = os.environ.get("ARTKIT_HOME")
    return Path(home).expanduser() if home else platformdirs.user_data_path("artkit", appauthor=False)


def user_model_path(method: str, name: str) -> Path:
    """Return where the user's model `name` of `method` lies, whether or not it is there yet.

    Raises ModelError for names that are not letters, digits, `_` and `-`: a name never leaves the store.
    """
    for word in (method, name):
        if not _NAME.fullmatch(word):
            raise ModelError(
                f"'{excerpt(word)}' is no model name: use letters, digits, '_' and '-', 100 at most, or give a path to "
                "a file."
            )
    return data_home() / "models" / method / f"{name}{SUFFIX}"


def find_model(method: str, name: str | None, registry: Registry, default: str | None) -> Path:
    """Return the file of the model that `method(model=name)` means; `default` stands in when `name` is None.

    A name with a dot or a separator is a path. Other names are looked for in the user's data folder, then among the
    models that plugins registered. Raises ModelError saying where it looked, with the nearest names.
    """
    wanted = name or default
    if wanted is None:
        known, trained = nearest("", _names_of(method, registry)), registry.methods.get(method)
        train = f" To train one: artkit train {method} DATA -o runs/{method}" if trained and trained.trainer else ""
        raise ModelError(f"{method} has no default model; name one: {method}(model=NAME).{known}{train}")
    if _is_path(wanted):
        return _existing_path(Path(wanted).expanduser())
    in_store = user_model_path(method, wanted)
    if in_store.is_file():
        return in_store
    spec = next((spec for spec in registry.models if (spec.method, spec.name) == (method, wanted)), None)
    if spec is None:
        raise ModelError(
            f"{method} has no model '{wanted}': looked for {in_store} and among the plugins' models."
            f"{nearest(wanted, _names_of(method, registry))}"
        )
    if spec.url is not None:
        raise ModelError(how_to_pull(spec, registry))
    return registered_file(spec)


def list_models(registry: Registry) -> list[StoredModel]:
    """Return every model on this machine, by method and name: the user's, and the packaged ones they do not replace.

    Only headers are read. A damaged file is listed with its error.
    """
    models = {(model.method, model.name): model for model in _packaged_models(registry)}
    models |= {(model.method, model.name): model for model in _user_models()}
    return [models[key] for key in sorted(models)]


def packaged_classes(registry: Registry) -> list[ClassSet]:
    """Return the class sets that the packaged models know, each once."""
    headers = (model.header for model in _packaged_models(registry))
    return list(dict.fromkeys(header.classes for header in headers if header and header.classes))


def find_listed(name: str, registry: Registry) -> StoredModel:
    """Return the model on this machine called NAME or METHOD/NAME.

    Raises ModelError when there is none, with the command that brings it where one does, or when several methods have
    one of that name.
    """
    method, _, short = name.rpartition("/")
    stored = [entry for entry in list_models(registry) if entry.name == short and method in ("", entry.method)]
    if not stored and entries_called(name, registry):
        raise ModelError(how_to_pull(find_entry(name, registry), registry))
    if not stored:
        raise ModelError(f"there is no model '{name}'. To see the models: artkit models")
    if len(stored) > 1:
        names = " or ".join(f"'{entry.method}/{entry.name}'" for entry in stored)
        raise ModelError(f"several methods have a model '{short}': say {names}.")
    return stored[0]


def _packaged_models(registry: Registry) -> Iterator[StoredModel]:
    for spec in registry.models:
        if spec.file is not None:
            yield _stored(spec.method, spec.name, _packaged_file(spec), "packaged", spec)


def _user_models() -> Iterator[StoredModel]:
    for path in (data_home() / "models").glob(f"*/*{SUFFIX}"):
        yield _stored(path.parent.name, path.stem, path, "user")


def _stored(method: str, name: str, path: Path, origin: str, spec: ModelSpec | None = None) -> StoredModel:
    try:
        return StoredModel(name, method, path, origin, spec, header=read_header(path))
    except ArtkitError as error:
        return StoredModel(name, method, path, origin, spec, error=str(error))


def _names_of(method: str, registry: Registry) -> list[str]:
    packaged = {spec.name for spec in registry.models if spec.method == method}
    return sorted(packaged | {path.stem for path in (data_home() / "models" / method).glob(f"*{SUFFIX}")})


def _is_path(name: str) -> bool:
    return "." in name or "/" in name or os.sep in name


def _existing_path(path: Path) -> Path:
    if path.exists():
        return path
    folder = path.parent
    beside = [file.name for file in folder.glob(f"*{SUFFIX}")] if folder.is_dir() else []
    raise ModelError(f"There is no model file {path}.{nearest(path.name, beside)}")


def registered_file(spec: ModelSpec) -> Path:
    """Return the file of a model in a plugin's package; ModelError when it is not there."""
    path = _packaged_file(spec)
    if not path.is_file():
        raise ModelError(f"The model '{spec.name}' of {spec.method} is missing from its plugin: no file {path}.")
    return path


def _packaged_file(spec: ModelSpec) -> Path:
    """Resolve `"package:relative/path"` from the package's import spec, without importing the package."""
    package, _, relative = (spec.file or "").partition(":")
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None:
        return Path(package) / relative
    return Path(found.origin).parent / relative
