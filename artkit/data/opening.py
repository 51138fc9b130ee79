"""Open a dataset by what the user types: a folder, or the name of one that a plugin makes."""

from __future__ import annotations

from pathlib import Path

from artkit.data.dataset import Dataset
from artkit.data.folder import FolderDataset
from artkit.errors import DataError, nearest
from artkit.plugins import registry, resolve
from artkit.plugins.reporting import warn
from artkit.spec import DatasetSpec, Options, parse_options


def open_dataset(data: str | Path, split: str = "train", *, at_least: int = 0) -> Dataset:
    """Open one split of `data`: a folder's path, or a registered name with options such as `landscapes(count=500)`.

    Pictures of a folder that will be resized may come smaller than they are, `at_least` so many pixels on their
    shortest side; 0 asks for all of them.

    Raises DataError when there is neither, OptionError for options the dataset does not have.
    """
    if Path(data).is_dir():
        dataset = FolderDataset(Path(data), split, at_least=at_least)
        if split == "train" and dataset.unfound:
            count, example = len(dataset.unfound), dataset.unfound[0]
            warn(f"{data}: {count} rows of its captions name pictures that are not there ({example}, ...): left out.")
        return dataset
    spec, options = find_dataset(str(data))
    if spec.factory is None:
        raise DataError(f"{spec.name} is a layout of folders, not a dataset: give a folder's path.")
    made: Dataset = resolve(spec.factory, registry().origin(spec.name))(options, split)
    return made


def find_dataset(text: str) -> tuple[DatasetSpec, Options]:
    """Find the registered dataset that `text` names in call syntax, and validate its options."""
    from artkit.chain.text import parse_chain

    known = registry().datasets
    try:
        step = parse_chain(text)[0]
    except Exception as error:
        raise DataError(f"there is no folder {text}.{nearest(text, known)}") from error
    if step.method not in known:
        raise DataError(f"there is no folder or dataset '{text}'.{nearest(step.method, known)}")
    spec = known[step.method]
    return spec, parse_options(spec.options, dict(step.options), spec.name)
