"""Label maps to begin with: dreamt by a chain, or made by a dataset such as the atelier's landscapes."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from artkit.chain import Chain
from artkit.data import Column, Dataset
from artkit.errors import ChainError, DataError, UsageError
from artkit.images import Picture
from artkit.plugins import Registry, resolve
from artkit.spec import DatasetSpec, Kind, parse_options
from artkit.studio.answers import RecipeInfo
from artkit.studio.jobs import Job
from artkit.studio.uploads import encode_indices

_ONE = {"count": 1}


def default_dreamer(registry: Registry) -> Chain:
    """Return the chain of the first method that dreams label maps. Raises ChainError where none does."""
    for spec in registry.methods.values():
        if spec.is_source and spec.output is Kind.LABELS and not (spec.needs_model and spec.default_model is None):
            return Chain(spec.name)
    raise ChainError("No method here dreams label maps.")


def find_world(name: str, registry: Registry) -> DatasetSpec:
    """Return the dataset of a name, or the first of a plugin's that can be made from a seed and may hold label maps.

    Raises UsageError.
    """
    for spec in registry.datasets.values():
        fields = set(getattr(spec.options, "__struct_fields__", ()))
        if name in (spec.name, registry.origin(spec.name)) and spec.factory and {"seed", "size"} <= fields:
            return spec
    raise UsageError(f"There is no dataset or plugin '{name[:40]}' that makes label maps from a seed.")


@dataclass
class WorldWork:
    """A label map that a dataset makes: the work of a job."""

    spec: DatasetSpec
    registry: Registry = field(repr=False)
    seed: int = 0
    size: tuple[int, int] | None = None
    classes: str = ""

    @property
    def nbytes(self) -> int:
        """It holds no pictures."""
        return 0

    def drop(self) -> None:
        """It holds nothing."""

    def recipe(self) -> RecipeInfo:
        """Return the command that makes the map's dataset."""
        size = "x".join(map(str, self.size)) if self.size else None
        command = f"artkit data make {self.spec.name} --count 1 --set seed={self.seed}"
        return RecipeInfo(self.spec.name, self.seed, size, command, "")

    def compute(self, job: Job) -> bytes:
        """Make the map and return it as a PNG of class indices. Raises ArtkitError."""
        job.tell(0.0, self.spec.name)
        dataset = self._open()
        column = next((column for column in dataset.columns.values() if column.kind is Kind.LABELS), None)
        if column is None:
            raise DataError(f"{self.spec.name} has no label maps.")
        return encode_indices(self._load(dataset, column))

    def _open(self) -> Dataset:
        settings = msgspec.structs.asdict(self.spec.options()) | {"seed": self.seed}
        settings |= {name: value for name, value in _ONE.items() if name in settings}
        settings |= {"size": self.size} if self.size else {}
        options = parse_options(self.spec.options, settings, self.spec.name)
        factory = resolve(str(self.spec.factory), self.registry.origin(self.spec.name))
        opened: list[Dataset] = [factory(options, split) for split in ("train", "val")]
        return max(opened, key=len)

    def _load(self, dataset: Dataset, column: Column) -> Picture:
        picture = column.picture(dataset.load(0, [column.name])[column.name])
        self.classes = column.classes.name if column.classes else ""
        return picture
