"""Class sets: the names and colours of the classes of a label map."""

from __future__ import annotations

import msgspec

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
