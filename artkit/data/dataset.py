"""A dataset is a table of samples: named columns, each of a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from artkit.errors import DataError, nearest
from artkit.images import Picture
from artkit.spec import ClassSet, Kind

Value = Tensor | str
Sample = dict[str, Value]


@dataclass(frozen=True)
class Column:
    """One column: its name, its kind, the class set of labels, the values of a category such as the time of day."""

    name: str
    kind: Kind
    classes: ClassSet | None = None
    values: tuple[str, ...] = ()

    def picture(self, value: Value) -> Picture:
        """Return what `Dataset.load` gives for this column as a picture: an image uint8 3HW, or labels uint8 HW."""
        assert isinstance(value, Tensor)
        if self.kind is Kind.LABELS:
            return Picture(value[None].long(), kind=Kind.LABELS, classes=self.classes)
        return Picture(value[None].float() / 255)


class Dataset(ABC):
    """Samples by number. Columns of one sample share one height and width.

    In an `unpaired` dataset each column is a domain of its own, with `count(column)` pictures of any size: load one
    column at a time. `mirrors` says whether a picture flipped left to right is as good as the original: augmentation
    asks it.
    """

    name: str = ""
    columns: Mapping[str, Column] = {}
    mirrors: bool = True
    unpaired: bool = False

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples; of the largest domain where they are unpaired."""

    @abstractmethod
    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of one sample: images uint8 3HW, labels uint8 HW, text as str.

        Raises DataError naming the file when it cannot be read.
        """

    def count(self, name: str) -> int:
        """Return how many samples a column has."""
        return len(self)

    def column(self, name: str) -> Column:
        """Return a column by name; DataError with the nearest names when there is none."""
        if name not in self.columns:
            raise DataError(f"{self.name or 'the dataset'} has no column '{name}'.{nearest(name, self.columns)}")
        return self.columns[name]

    def first(self, *kinds: Kind, besides: Sequence[str] = ()) -> Column:
        """Return the first column of one of `kinds`, in the order of `kinds`; DataError when there is none."""
        for kind in kinds:
            for column in self.columns.values():
                if column.kind is kind and column.name not in besides:
                    return column
        wanted = " or ".join(kinds)
        raise DataError(
            f"{self.name or 'the dataset'} has no column of kind {wanted} left to train on (it has "
            f"{', '.join(self.columns)}): `artkit data check` says what a folder will do for."
        )
