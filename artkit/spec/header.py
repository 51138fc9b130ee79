"""The model header: everything needed to use a trained model, as its file records it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec

from artkit.spec.classes import ClassSet
from artkit.spec.kinds import Kind

FORMAT = 1
"""The version of the header that this artkit writes, and the newest that it reads."""

MAX_SIDE = 65_536  # pixels, filters, layers, classes: beyond anything that a picture or a network has
MAX_NUMBER = 2**24  # an argument's size, whatever it counts
MAX_DEPTH = 6  # tables in tables
MAX_VALUES = 10_000
MAX_TEXT = 10_000  # characters

Positive = Annotated[int, msgspec.Meta(ge=1)]
Side = Annotated[int, msgspec.Meta(ge=1, le=MAX_SIDE)]


class ModelHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to use a model, so that nobody retypes a flag.

    `architecture` and `arguments` name the network for the method's own code. `inputs` maps each port to its kind;
    `classes` is the class set of a label-map input or output. `conditions` are those that a conditional model takes,
    and the words it knows, in index order: `{"time": ("dawn", "noon")}`. `value_range` is the range the network itself
    works in; translators map to and from [0, 1]. Sides must be multiples of `size_multiple` and at least
    `size_minimum` pixels, with `size_margin` pixels of mirrored picture around. `training` says how the model was
    made: data, steps, seed, version, scores. `artkit` is the version that wrote the file. Keys this version does not
    know are ignored; a `format` above `FORMAT` is refused. Raises ValueError for arguments that no network has (numbers
    beyond `MAX_NUMBER`, tables within tables without end) and for an empty value range.
    """

    format: Positive = FORMAT
    method: str
    name: str = ""
    summary: str = ""
    architecture: str
    arguments: dict[str, Any] = {}
    inputs: dict[str, Kind]
    output: Kind
    classes: ClassSet | None = None
    conditions: dict[str, tuple[str, ...]] = {}
    value_range: tuple[float, float] = (-1.0, 1.0)
    size_multiple: Side = 1
    size_minimum: Side = 1
    size_margin: Annotated[int, msgspec.Meta(ge=0, le=MAX_SIDE)] = 0
    training: dict[str, Any] = {}
    licence: str = ""
    artkit: str = ""

    def __post_init__(self) -> None:
        """Bound what a stranger's file may ask for, before any code that builds networks sees it."""
        low, high = self.value_range
        if not (low < high and math.isfinite(high - low)):
            raise ValueError(f"the value range {self.value_range} is empty")
        for count, (place, value) in enumerate(_leaves(self.arguments, "arguments")):
            if count == MAX_VALUES:
                raise ValueError(f"the arguments are more than {MAX_VALUES} values")
            if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
                raise ValueError(f"{place} is a number beyond {MAX_NUMBER}")
            if isinstance(value, str) and len(value) > MAX_TEXT:
                raise ValueError(f"{place} is a text of more than {MAX_TEXT} characters")


def _leaves(value: Any, place: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every value that is no table or list, with the name of its place; empty tables and lists count as one."""
    if depth > MAX_DEPTH:
        raise ValueError(f"{place[:80]} is nested more than {MAX_DEPTH} deep")
    inside: Mapping[Any, Any] | None = None
    if isinstance(value, Mapping):
        inside = value
    elif isinstance(value, list | tuple):
        inside = dict(enumerate(value))
    if not inside:
        yield place, value
        return
    for name, item in inside.items():
        yield from _leaves(item, f"{place}.{str(name)[:80]}", depth + 1)
