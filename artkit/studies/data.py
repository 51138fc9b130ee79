"""The data of a study: datasets, made once into its folder, with the columns that chains make of theirs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from artkit.chain import Chain
from artkit.data import make_dataset
from artkit.errors import UsageError
from artkit.studies.protocol import Data, Made, Study


def place_of(study: Study, name: str, folder: Path) -> str:
    """Return where data lie: made in the study's folder, or what a user calls them."""
    return str(folder / "data" / name) if name in study.data else name


def make_all_data(study: Study, folder: Path, note: Callable[[str], None]) -> None:
    """Make each dataset in data/NAME, where it is not; one that was not finished is made anew.

    Raises UsageError for a column that is to be made of one that is not there, and what making raises.
    """
    for name, data in study.data.items():
        made, part = folder / "data" / name, folder / "data" / f".{name}.part"
        if made.exists():
            continue
        note(f"data {name}")
        shutil.rmtree(part, ignore_errors=True)
        _make(data, part)
        os.replace(part, made)


def _make(data: Data, folder: Path) -> None:
    make_dataset(data.dataset, folder, data.options)
    splits = sorted(path for path in folder.iterdir() if path.is_dir())
    for name, made in data.columns.items():
        for split in splits:
            _make_column(name, made, split)


def _make_column(name: str, made: Made, split: Path) -> None:
    """Write what a chain makes of each picture of a column under the same name."""
    source, target = split / made.of, split / name
    if not source.is_dir() or target.exists():
        columns = ", ".join(sorted(path.name for path in split.iterdir()))
        raise UsageError(f"the column '{name}' cannot be made of '{made.of}': the data have {columns}.")
    target.mkdir()
    files = sorted(source.iterdir())
    for file, picture in zip(files, Chain(made.chain).stream(files), strict=True):
        picture.save(target / file.name)
