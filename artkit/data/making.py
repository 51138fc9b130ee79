"""Write a dataset that a plugin makes into a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from artkit.errors import DataError, OutputError
from artkit.plugins import registry, resolve
from artkit.spec import parse_options


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
    spec = registry().dataset(name)
    if spec.writer is None:
        raise DataError(f"{name} is made as it is asked for and cannot be written: train on it by name.")
    checked = parse_options(spec.options, dict(options), name)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        resolve(spec.writer, registry().origin(name))(directory, checked, jobs or os.cpu_count() or 1, progress)
    except OSError as error:
        raise OutputError(f"cannot write {directory}: {error.strerror or error}.") from error
