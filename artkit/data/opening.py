"""Opening a dataset by name or folder, and writing a made one to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from artkit.data.dataset import Dataset
from artkit.data.folder import FolderDataset
from artkit.errors import DataError, OutputError, nearest
from artkit.plugins import current_registry, resolve
from artkit.reporting import warn
from artkit.spec import DatasetSpec, Options, parse_options
from artkit.spec.calls import Call, parse_calls


def open_dataset(data: str | Path, split: str = "train", *, at_least: int = 0) -> Dataset:
    """Open one split of `data`: a folder's path, or a registered name with options such as `landscapes(count=500)`.

    Pictures of a folder that will be resized may come smaller than they are, `at_least` so many pixels on their
    shortest side; 0 asks for all of them.

    Raises DataError when there is neither, OptionError for options the dataset does not have.
    """
    if Path(data).is_dir():
        dataset = FolderDataset(Path(data), split, at_least=at_least)
        if split == "train" and dataset.captions_without_picture:
            count, example = len(dataset.captions_without_picture), dataset.captions_without_picture[0]
            warn(f"{data}: {count} rows of its captions name pictures that are not there ({example}, ...): left out.")
        return dataset
    spec, options = find_dataset(str(data))
    if spec.factory is None:
        raise DataError(f"{spec.name} is a layout of folders, not a dataset: give a folder's path.")
    made: Dataset = resolve(spec.factory, current_registry().origin(spec.name))(options, split)
    return made


def find_dataset(text: str) -> tuple[DatasetSpec, Options]:
    """Find the registered dataset that `text` names in call syntax, and validate its options."""
    known = current_registry().datasets
    try:
        call = parse_calls(text)[0]
    except Exception as error:
        raise DataError(f"there is no folder {text}.{nearest(text, known)}") from error
    if call.name not in known:
        raise DataError(f"there is no folder or dataset '{text}'.{nearest(call.name, known)}")
    spec = known[call.name]
    return spec, parse_options(spec.options, {name: _plain(value) for name, value in call.options.items()}, spec.name)


def _plain(value: Any) -> Any:
    """Return a value as options hold it: bare words in brackets, which read as calls, are a list of words here."""
    if isinstance(value, list | tuple) and all(isinstance(one, Call) and not one.options for one in value):
        return [one.name for one in value]
    return value


def make_dataset(
    name: str,
    directory: Path,
    options: Mapping[str, Any],
    *,
    jobs: int | None = None,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Write the registered dataset `name` into `directory`, with `jobs` processes (by default one a core).

    `progress` is called after each sample. Raises DataError for a dataset that cannot be written, OptionError for wrong
    options, OutputError when the folder cannot be written.
    """
    spec = current_registry().dataset(name)
    if spec.writer is None:
        raise DataError(f"{name} is made as it is asked for and cannot be written: train on it by name.")
    checked = parse_options(spec.options, dict(options), name)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        resolve(spec.writer, current_registry().origin(name))(directory, checked, jobs or os.cpu_count() or 1, progress)
    except OSError as error:
        raise OutputError(f"cannot write {directory}: {error.strerror or error}.") from error
