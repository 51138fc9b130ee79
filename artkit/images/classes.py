"""The class file `classes.txt`: reading and writing a class set."""

from __future__ import annotations

import colorsys
import re
from pathlib import Path

from artkit.errors import DataError
from artkit.files import open_regular, write_atomically
from artkit.spec.classes import MAX_CLASSES, ClassSet, Colour, LabelClass

MAX_BYTES = 16 * 2**20  # of a class file, which has a short line a class


def read_classes_file(path: Path, name: str | None = None) -> ClassSet:
    """Read `classes.txt`: one `index name R G B` a line (commas do too), indices 0 to K-1 in any order, `#` comments.

    A class without a colour gets one. The set is called `name`, by default the name of the file's folder. Raises
    DataError naming the line.
    """
    path = Path(path)
    found: dict[int, LabelClass] = {}
    for number, line in enumerate(_read_lines(path), start=1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            index, label = _read_class(words)
            if index in found:
                raise ValueError(f"index {index} comes twice")
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}.") from None
        found[index] = label
    if sorted(found) != list(range(len(found))):
        raise DataError(f"{path}: indices must run from 0 to {len(found) - 1} without gaps.")
    try:
        return ClassSet(name or path.resolve().parent.name, tuple(found[index] for index in range(len(found))))
    except ValueError as error:
        raise DataError(f"{path}: {error}.") from None


def _read_lines(path: Path) -> list[str]:
    try:
        with open_regular(path) as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"Cannot read the class file {path}: {error.strerror or error}.") from None
    if len(text) > MAX_BYTES:
        raise DataError(f"{path} is no class file: it has more than {MAX_BYTES} bytes.")
    try:
        return text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"Cannot read the class file {path}: it is not UTF-8 text.") from None


def _read_class(words: list[str]) -> tuple[int, LabelClass]:
    """Return index and class of a line's words. Raises ValueError that says what is wrong with them."""
    numbers = words[:1] + words[2:]
    if len(words) not in (2, 5) or not all(re.fullmatch(r"[+-]?[0-9]+", word) for word in numbers):
        raise ValueError("expected 'index name R G B'")
    # Python refuses to read thousands of digits, and nothing here needs more than five.
    index, *levels = (int(word[:9]) for word in numbers)
    if index >= MAX_CLASSES:
        raise ValueError(f"index {words[0][:20]} is too large: the last there can be is {MAX_CLASSES - 1}")
    red, green, blue = levels or spread_colour(index)
    return index, LabelClass(words[1], (red, green, blue))


def spread_colour(index: int) -> Colour:
    """Return a colour for class `index`: hues a golden angle apart, no two of the first 256 alike."""
    red, green, blue = colorsys.hsv_to_rgb(index * 0.618034 % 1, (1, 0.6)[index % 2], (0.9, 0.7, 0.5)[index % 3])
    return round(red * 255), round(green * 255), round(blue * 255)


def write_classes_file(classes: ClassSet, path: Path, *, overwrite: bool = False) -> None:
    """Write `classes.txt` as `read_classes_file` reads it. Raises OutputError."""
    lines = (f"{index} {item.name} {' '.join(map(str, item.colour))}\n" for index, item in enumerate(classes.classes))
    write_atomically(Path(path), "".join(lines).encode(), overwrite=overwrite)
