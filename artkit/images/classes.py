"""The class file `classes.txt`: reading and writing a class set."""

from __future__ import annotations

import colorsys
from pathlib import Path

from artkit.errors import DataError
from artkit.files import write_atomically
from artkit.spec.classes import ClassSet, Colour, LabelClass


def read_classes_file(path: Path, name: str | None = None) -> ClassSet:
    """Read `classes.txt`: one `index name R G B` a line (commas do too), indices 0 to K-1 in any order, `#` comments.

    A class without a colour gets one. The set is called `name`, by default the name of the file's folder. Raises
    DataError naming the line.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DataError(f"Cannot read the class file {path}: {reason}.") from None
    found: dict[int, LabelClass] = {}
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            index, label, *colour = words
            red, green, blue = (int(level) for level in colour) if colour else spread_colour(int(index))
            if int(index) in found:
                raise ValueError(f"index {index} comes twice")
            found[int(index)] = LabelClass(label, (red, green, blue))
        except ValueError as error:
            reason = str(error) if "class" in str(error) or "twice" in str(error) else "expected 'index name R G B'"
            raise DataError(f"{path}, line {number}: {reason}.") from None
    if sorted(found) != list(range(len(found))):
        raise DataError(f"{path}: indices must run from 0 to {len(found) - 1} without gaps.")
    try:
        return ClassSet(name or path.resolve().parent.name, tuple(found[index] for index in range(len(found))))
    except ValueError as error:
        raise DataError(f"{path}: {error}.") from None


def spread_colour(index: int) -> Colour:
    """Return a colour for class `index`: hues a golden angle apart, no two of the first 256 alike."""
    red, green, blue = colorsys.hsv_to_rgb(index * 0.618034 % 1, (1, 0.6)[index % 2], (0.9, 0.7, 0.5)[index % 3])
    return round(red * 255), round(green * 255), round(blue * 255)


def write_classes_file(classes: ClassSet, path: Path, *, overwrite: bool = False) -> None:
    """Write `classes.txt` as `read_classes_file` reads it. Raises OutputError."""
    lines = (f"{index} {item.name} {' '.join(map(str, item.colour))}\n" for index, item in enumerate(classes.classes))
    write_atomically(Path(path), "".join(lines).encode(), overwrite=overwrite)
