"""Which samples are kept apart from training, by what their files hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from artkit.data.captions import find_captions
from artkit.data.dataset import Column, Dataset, Sample
from artkit.data.inspecting import read_header
from artkit.data.labels import find_classes, load_labels
from artkit.data.layouts import WHOLE, Place, recognise
from artkit.data.layouts.place import LABELS, MASKS, is_column
from artkit.errors import DataError, ImageError
from artkit.files import open_regular
from artkit.images import read_picture
from artkit.spec import ClassSet, Kind, LabelClass

HELD_OUT_SHARE = 0.1
AT_LEAST_ONE_OF = 5
HASHED_BYTES = 1 << 16  # of a file's end, where pictures differ even when their headers do not


def hold_out(files: Mapping[str, Path]) -> set[str]:
    """Return the keys of about a tenth of the files: one at least of five or more, and never all.

    The choice rests on each file's content alone: it stays when files are added, renamed or moved, and copies of a file
    share its fate.
    """
    with ThreadPoolExecutor() as readers:
        places = dict(zip(files, readers.map(_place, files.values()), strict=True))
    held = {key for key, place in places.items() if place < HELD_OUT_SHARE}
    if not held and len(files) >= AT_LEAST_ONE_OF:
        held = {min(places, key=lambda key: (places[key], key))}
    return held if len(held) < len(files) else set()


def _place(path: Path) -> float:
    """Return a number in [0, 1) drawn from a file's length and end; 1 for a file that cannot be read."""
    try:
        size = path.stat().st_size
        with open_regular(path) as file:
            file.seek(max(0, size - HASHED_BYTES))
            digest = hashlib.blake2b(file.read(HASHED_BYTES), digest_size=4, key=str(size).encode()).digest()
    except OSError:
        return 1.0
    return int.from_bytes(digest, "big") / 2**32


FEW, MAX_CATEGORIES, MEMBERS = 16, 256, 4  # words are categories when few, or when each is that of several samples
MASK_CLASSES = ClassSet("mask", (LabelClass("background", (0, 0, 0)), LabelClass("object", (255, 255, 255))))


class FolderDataset(Dataset):
    """One split of a folder in any layout of `artkit.data.layouts`.

    `classes.txt` or `palette.png` gives label maps their class set; a CSV or TSV file adds text columns. A folder
    without splits is divided by a hash of its pictures' content: a tenth is kept apart as "val", and stays apart when
    files are added. Where there is a "test" split and no "val", the former serves as the latter. With `at_least`, a
    shortest side in pixels, pictures that will be resized may come smaller than they are, not below it, which is
    faster. Raises DataError.
    """

    def __init__(self, directory: Path, split: str = "train", *, at_least: int = 0) -> None:
        self.directory, self.split, self.name, self.at_least = directory, split, str(directory), at_least
        if not directory.is_dir():
            raise DataError(f"{directory} is no folder: give a dataset's folder, or a name that `artkit data` lists.")
        self.tables, places = recognise(directory)
        part = self._part()
        self.table, self.hashed = self.tables[part], part == WHOLE
        _check_filled(places[part], directory)
        self.unpaired, self.classes = self.table.unpaired, find_classes(directory)
        self.keys = self._choose_keys()
        columns = {name: self._column(name) for name in self.table.columns}
        self.text = dict(self.table.text)
        for name in self.text:
            values = set().union(*(table.text.get(name, {}).values() for table in self.tables.values()))
            columns[name] = Column(name, Kind.TEXT, values=tuple(sorted(values)))
        self.columns = columns
        self.uncaptioned: list[str] = []
        self.captions_without_picture: list[str] = []
        if not self.unpaired:
            self._add_captions()

    def __len__(self) -> int:
        return max(map(len, self.keys.values()))

    def count(self, name: str) -> int:
        """Return how many samples a column has."""
        return len(self.keys[name]) if self.unpaired else len(self)

    @property
    def stems(self) -> list[str]:
        """The keys of paired samples, in order: file names without suffix, with the folders below their column."""
        return next(iter(self.keys.values()))

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of sample `index`; see Dataset.load. Transparent pixels are laid on white."""
        if self.unpaired and len(names) > 1:
            raise DataError(f"the pictures of {self.name} are unpaired ({', '.join(names)}): none belongs to another.")
        return {name: self._load(self.column(name), index) for name in names}

    def path(self, name: str, index: int) -> Path:
        """Return the file of a picture column's sample."""
        return self.table.columns[name][self.keys[name][index]]

    def sizes(self, most: int) -> list[tuple[int, int]]:
        """Return width and height of up to `most` pictures of the first column, by their files' headers."""
        name = next(iter(self.table.columns))
        paths = [self.table.columns[name][key] for key in self.keys[name]]
        headers = [read_header(path) for path in paths[:: max(1, len(paths) // most)]]
        halves = 2 if self.table.sheets else 1
        return [(header.width // halves, header.height) for header in headers if header]

    @property
    def unmatched(self) -> dict[str, list[str]]:
        """Each key that lacks a file in some column, with those columns; nothing where columns are unpaired.

        Of a folder divided by content they belong to the training split.
        """
        if self.unpaired or (self.hashed and self.split != "train"):
            return {}
        columns = self.table.columns
        every = sorted(set().union(*columns.values()))
        missing = {key: [name for name, files in columns.items() if key not in files] for key in every}
        return {key: names for key, names in missing.items() if names}

    def _part(self) -> str:
        if WHOLE in self.tables:
            return WHOLE
        if self.split == "val" and "val" not in self.tables and "test" in self.tables:
            return "test"
        if self.split not in self.tables:
            raise DataError(f"{self.directory} has no split '{self.split}': it has {', '.join(self.tables)}.")
        return self.split

    def _choose_keys(self) -> dict[str, list[str]]:
        columns = self.table.columns
        if self.unpaired:
            keys = {name: sorted(files) for name, files in columns.items()}
        else:
            keys = {next(iter(columns)): sorted(set.intersection(*map(set, columns.values())))}
        if self.hashed:
            keys = {name: self._of_split(name, every) for name, every in keys.items()}
        for name, chosen in keys.items():
            if not chosen:
                where = f"column '{name}' of {self.directory}" if self.unpaired else str(self.directory)
                raise DataError(f"{where} has no samples for the split '{self.split}'.")
        return keys if self.unpaired else dict.fromkeys(columns, next(iter(keys.values())))

    def _of_split(self, name: str, keys: list[str]) -> list[str]:
        """Return the keys that content puts into this split, groups of them whole."""
        files, groups = self.table.columns[name], self.table.groups
        held = hold_out({groups.get(key, key): files[key] for key in reversed(keys)})
        return [key for key in keys if (groups.get(key, key) in held) == (self.split != "train")]

    def _column(self, name: str) -> Column:
        own = self.table.classes.get(name)
        if own is not None or (self.classes is not None and self._holds_labels(name)):
            return Column(name, Kind.LABELS, self.classes or own)
        if name.lower() in MASKS and self._is_black_and_white(name):
            return Column(name, Kind.LABELS, MASK_CLASSES)
        return Column(name, Kind.IMAGE)

    def _add_captions(self) -> None:
        """Add a column for each text of the caption file; note the samples without a row, and the rows without one."""
        captions = find_captions(self.directory)
        if captions is None:
            return
        rows, missing = captions.match(self.stems, self.split)
        elsewhere = set().union(*(files for table in self.tables.values() for files in table.columns.values()))
        self.captions_without_picture = captions.match(elsewhere, self.split)[1] if missing else []
        self.uncaptioned = [key for key in self.stems if key not in rows]
        texts = {}
        for name in captions.names:
            self.text[name] = {key: row[name] for key, row in rows.items()}
            texts[name] = Column(name, Kind.TEXT, values=list_categories(self.text[name]))
        self.columns = {**self.columns, **texts}

    def _holds_labels(self, name: str) -> bool:
        """Tell by the column's name; where no column's tells, by whether the first picture has a palette."""
        if any(column.lower() in LABELS for column in self.table.columns):
            return name.lower() in LABELS
        header = read_header(next(iter(self.table.columns[name].values())))
        return not self.table.sheets and header is not None and header.mode == "P"

    def _is_black_and_white(self, name: str) -> bool:
        header = read_header(next(iter(self.table.columns[name].values())))
        return header is not None and header.mode == "1"

    def _load(self, column: Column, index: int) -> Tensor | str:
        if column.kind is Kind.TEXT:
            return self.text[column.name].get(self.stems[index], "")
        path = self.path(column.name, index)
        if column.kind is Kind.LABELS:
            assert column.classes is not None
            return load_labels(path, column.classes)
        image = load_image(path, 0 if self.table.sheets else self.at_least)  # halves of a rounded width would not fit
        if self.table.sheets:
            half = image.shape[-1] // 2
            image = image[..., :half] if column.name == "A" else image[..., half : 2 * half]
        return image


def list_categories(words: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of a column of words, sorted, where they are few enough to be categories; else nothing."""
    values = set(words.values())
    few = len(values) <= FEW or (len(values) <= MAX_CATEGORIES and MEMBERS * len(values) <= len(words))
    return tuple(sorted(values)) if len(values) > 1 and few else ()


def load_image(path: Path, at_least: int = 0) -> Tensor:
    """Load a picture, uint8 3HW, on white where it is transparent; `at_least` as in `read_picture`.

    Raises DataError.
    """
    try:
        picture = read_picture(path, at_least=at_least)
    except ImageError as error:
        raise DataError(str(error)) from error
    image = picture.tensor[0]
    if picture.alpha is not None:
        image = image * picture.alpha[0] + (1 - picture.alpha[0])
    return (image * 255).round().to(torch.uint8)


def _check_filled(place: Place, directory: Path) -> None:
    """Raise DataError for an empty folder that is called like a column: an empty domain, or forgotten partners."""
    for name, path in place.empty.items():
        if "/" not in name and is_column(name):
            raise DataError(f"{path} holds no pictures, so {directory} cannot be trained on: fill it or remove it.")
