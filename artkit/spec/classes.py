"""Class sets: the names and colours of the classes of a label map."""

from __future__ import annotations

from collections import Counter

import msgspec

from artkit.errors import excerpt

Colour = tuple[int, int, int]

MAX_CLASSES = 65_536
"""The classes of the largest set: label maps of more than 256 are stored in 16 bits."""


class LabelClass(msgspec.Struct, frozen=True):
    """One class: its name (no spaces) and its colour, sRGB, 0 to 255."""

    name: str
    colour: Colour

    def __post_init__(self) -> None:
        """Raise ValueError for a name with spaces or a colour outside 0 to 255."""
        if not self.name or any(character.isspace() for character in self.name):
            raise ValueError(f"a class name is one word, not {excerpt(self.name)!r}")
        if any(not 0 <= level <= 255 for level in self.colour):
            raise ValueError(f"class '{excerpt(self.name)}' has a colour outside 0..255: {self.colour}")


class ClassSet(msgspec.Struct, frozen=True):
    """A named, ordered set of classes; a class's place is its index in label maps."""

    name: str
    classes: tuple[LabelClass, ...]

    def __post_init__(self) -> None:
        """Raise ValueError when there is no class, too many, or when two share a name or a colour."""
        if not self.classes:
            raise ValueError(f"class set '{excerpt(self.name)}' has no classes")
        if len(self.classes) > MAX_CLASSES:
            raise ValueError(f"class set '{excerpt(self.name)}' has more than {MAX_CLASSES} classes")
        for what, counts in (("name", Counter[object](self.names)), ("colour", Counter[object](self.colours))):
            most, times = counts.most_common(1)[0]
            if times > 1:
                raise ValueError(f"class set '{excerpt(self.name)}' has the {what} {excerpt(str(most))} twice")

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
