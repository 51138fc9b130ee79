"""Tables of words about pictures: CSV or TSV with a column of file names and columns of text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path, PurePosixPath

from artkit.errors import DataError
from artkit.files import open_regular

FILE_COLUMNS = ("file", "file_name", "filename", "image", "path", "picture")
SPLIT_COLUMN = "split"

Rows = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Captions:
    """The rows of a caption file: `rows` are its text columns by picture, a name without suffix, as written in it.

    `splits` say which split a row is meant for, where the file says so.
    """

    path: Path
    names: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]
    splits: Mapping[str, str]

    def match(self, keys: Iterable[str], split: str) -> tuple[Rows, list[str]]:
        """Return the words of each sample key, and the pictures that have a row and are not among the keys.

        `png/1.png` in the file is found as sample `1` of the folder `png` too.
        """
        known, words, missing = set(keys), Rows(), []
        for name, row in self.rows.items():
            if self.splits.get(name, split) != split:
                continue
            key = next((key for key in _endings(name) if key in known), None)
            if key is None:
                missing.append(name)
            else:
                words[key] = dict(row)
        return words, missing


def find_captions(directory: Path) -> Captions | None:
    """Read the first CSV or TSV file of a folder that has a column of file names; None when there is none.

    Raises DataError for a file that is no table of text.
    """
    for path in sorted(directory.iterdir()):
        if path.suffix.lower() in (".csv", ".tsv") and path.is_file():
            captions = read_captions(path)
            if captions:
                return captions
    return None


def read_captions(path: Path) -> Captions | None:
    """Read a CSV or TSV file; None where it has no column of file names and another.

    Raises DataError for a file that is no table of text.
    """
    try:
        with open_regular(path) as stream, TextIOWrapper(stream, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            fields = list(reader.fieldnames or ())
            column = next((field for field in fields if field.lower() in FILE_COLUMNS), None)
            if column is None or len(fields) < 2:
                return None
            rows = [{name: row[name] or "" for name in fields} for row in reader if row[column]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no table of captions: {error}.") from None
    except OSError as error:
        raise DataError(f"Cannot read the captions {path}: {error.strerror or error}.") from None
    names = tuple(name for name in fields if name not in (column, SPLIT_COLUMN) and name)
    splits = {_bare(row[column]): row[SPLIT_COLUMN] for row in rows if row.get(SPLIT_COLUMN)}
    return Captions(path, names, {_bare(row[column]): {name: row[name] for name in names} for row in rows}, splits)


def _bare(name: str) -> str:
    """Return a file's name as written, without suffix; `/` and `.`, which name no file, stay as they are."""
    path = PurePosixPath(name.replace("\\", "/"))
    return str(path.with_suffix("")) if path.name else str(path)


def _endings(name: str) -> Iterable[str]:
    parts = name.split("/")
    return ("/".join(parts[first:]) for first in range(len(parts)))
