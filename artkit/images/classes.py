"""Class sets: the names and colours of the classes of a label map, and their file `classes.txt`."""

from __future__ import annotations

import colorsys
from pathlib import Path

import msgspec

from artkit.errors import DataError
from artkit.images.atomic import write_atomically

Colour = tuple[int, int, int]


class LabelClass(msgspec.Struct, frozen=True):
    """One class: its name (no spaces) and its colour, sRGB, 0 to 255."""

    name: str
    colour: Colour

    def __post_init__(self) -> None:
        """Raise ValueError for a name with spaces or a colour outside 0 to 255."""
        if not self.name or any(character.isspace() for character in self.name):
            raise ValueError(f"a class name is one word, not {self.name!r}")
        if any(not 0 <= level <= 255 for level in self.colour):
            raise ValueError(f"class '{self.name}' has a colour outside 0..255: {self.colour}")


class ClassSet(msgspec.Struct, frozen=True):
    """A named, ordered set of classes; a class's place is its index in label maps."""

    name: str
    classes: tuple[LabelClass, ...]

    def __post_init__(self) -> None:
        """Raise ValueError when there is no class, or when two share a name or a colour."""
        if not self.classes:
            raise ValueError(f"class set '{self.name}' has no classes")
        for what, values in (("name", self.names), ("colour", self.colours)):
            twice = [value for value in values if values.count(value) > 1]
            if twice:
                raise ValueError(f"class set '{self.name}' has the {what} {twice[0]} twice")

    def __len__(self) -> int:
        """Return the number of classes, K."""
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names in index order."""
        return tuple(item.name for item in self.classes)

    @property
    def colours(self) -> tuple[Colour, ...]:
        """The classes' colours in index order, 0 to 255."""
        return tuple(item.colour for item in self.classes)


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
