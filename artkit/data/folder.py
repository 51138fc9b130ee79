"""Datasets in folders: one subfolder a column, or A|B sheets; splits as folders, or by a hash of the name."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from artkit.data.dataset import Column, Dataset, Sample
from artkit.errors import DataError, ImageError
from artkit.images import READABLE_SUFFIXES, ClassSet, nearest_palette, read_classes_file, read_picture
from artkit.spec import Kind

SPLITS = ("train", "val", "test")
LABEL_NAMES = {"label", "labels", "label_map", "semantic", "seg", "annotations"}
CAPTIONS_FILE, CLASSES_FILE = "captions.tsv", "classes.txt"
HELD_OUT_SHARE = 0.1
MAX_CATEGORIES = 16


class FolderDataset(Dataset):
    """One split of a folder: `DIR/[SPLIT/]COLUMN/NAME.png`, or `DIR/[SPLIT/]NAME.png` as A|B sheets.

    `classes.txt` gives label maps their class set; `captions.tsv` adds text columns. Without split folders a tenth of
    the samples, chosen by a hash of the name, is kept apart as `val`: the choice stays when files are added.
    """

    def __init__(self, directory: Path, split: str = "train") -> None:
        self.directory, self.split, self.name = directory, split, str(directory)
        if not directory.is_dir():
            raise DataError(f"{directory} is no folder: give a dataset's folder, or a name that `artkit data` lists.")
        root = directory / split if (directory / split).is_dir() else directory
        self._hashed = root == directory and not any((directory / name).is_dir() for name in SPLITS)
        if root == directory and not self._hashed:
            raise DataError(f"{directory} has no folder '{split}'.")
        self.classes = _read_classes(directory)
        self._files: dict[str, dict[str, Path]] = {}
        self.sheets = False
        self._scan(root)
        self.text = _read_text(directory)
        self._add_text_columns()

    def __len__(self) -> int:
        return len(self.stems)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of sample `index`; see Dataset.load."""
        stem = self.stems[index]
        return {name: self._load(self.column(name), stem) for name in names}

    def _scan(self, root: Path) -> None:
        folders = {path.name: list_images(path) for path in sorted(root.iterdir()) if path.is_dir()}
        self._files = {name: {path.stem: path for path in paths} for name, paths in folders.items() if paths}
        sheets = list_images(root)
        if not self._files and sheets:
            self.sheets = True
            self._files = {side: {path.stem: path for path in sheets} for side in ("A", "B")}
        if not self._files:
            raise DataError(f"{root} holds no pictures that artkit reads ({', '.join(sorted(READABLE_SUFFIXES))}).")
        self.lonely = self._find_lonely()
        common = set.intersection(*(set(files) for files in self._files.values()))
        if not common:
            raise DataError(f"the folders {', '.join(self._files)} of {root} have no file name in common.")
        self.stems = sorted(
            stem for stem in common if not self._hashed or _is_held_out(stem) == (self.split != "train")
        )
        if not self.stems:
            raise DataError(f"{root} has no samples for the split '{self.split}'.")
        self.columns = {name: self._column(name) for name in self._files}

    def _find_lonely(self) -> dict[str, list[str]]:
        """Return each stem that lacks a file in some column, with those columns."""
        stems = sorted(set.union(*(set(files) for files in self._files.values())))
        missing = {stem: [name for name, files in self._files.items() if stem not in files] for stem in stems}
        return {stem: names for stem, names in missing.items() if names}

    def _column(self, name: str) -> Column:
        if self.classes is not None and name.lower() in LABEL_NAMES:
            return Column(name, Kind.LABELS, self.classes)
        return Column(name, Kind.IMAGE)

    def _add_text_columns(self) -> None:
        rows = list(self.text.values()) or [{}]
        for name in rows[0]:
            values = sorted({row.get(name, "") for row in rows})
            few = tuple(values) if 1 < len(values) <= MAX_CATEGORIES else ()
            self.columns = {**self.columns, name: Column(name, Kind.TEXT, values=few)}

    def _load(self, column: Column, stem: str) -> Tensor | str:
        if column.kind is Kind.TEXT:
            return self.text.get(stem, {}).get(column.name) or ""
        path = self._files[column.name][stem]
        try:
            return self._load_pixels(column, path)
        except ImageError as error:
            raise DataError(str(error)) from error

    def _load_pixels(self, column: Column, path: Path) -> Tensor:
        if column.kind is Kind.LABELS:
            return load_labels(path, column.classes)
        image = (read_picture(path).tensor[0] * 255).round().to(torch.uint8)
        if self.sheets:
            half = image.shape[-1] // 2
            image = image[..., :half] if column.name == "A" else image[..., half : 2 * half]
        return image


def load_labels(path: Path, classes: ClassSet | None) -> Tensor:
    """Load a label map as class indices, uint8 HW.

    Maps in exact palette colours or in class indices are taken as they are; any other colour, such as JPEG leaves at
    borders, becomes the nearest of the palette.
    """
    assert classes is not None
    try:
        return read_picture(path, kind=Kind.LABELS, classes=classes).tensor[0].to(torch.uint8)
    except ImageError:
        return nearest_palette(read_picture(path).tensor, classes)[0].to(torch.uint8)


def list_images(directory: Path) -> list[Path]:
    """Return the pictures right inside `directory`, sorted by name."""
    return sorted(path for path in directory.iterdir() if path.suffix.lower() in READABLE_SUFFIXES and path.is_file())


def _read_classes(directory: Path) -> ClassSet | None:
    path = directory / CLASSES_FILE
    return read_classes_file(path) if path.is_file() else None


def _read_text(directory: Path) -> dict[str, dict[str, str]]:
    path = directory / CAPTIONS_FILE
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {Path(row["file"]).stem: {k: v for k, v in row.items() if k not in ("file", "split")} for row in rows}


def _is_held_out(stem: str) -> bool:
    return hashlib.blake2b(stem.encode(), digest_size=4).digest()[0] < 256 * HELD_OUT_SHARE
