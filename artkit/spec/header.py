"""The model header: everything needed to use a trained model, as its file records it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from artkit.spec.classes import ClassSet
from artkit.spec.kinds import Kind

FORMAT = 1
"""The version of the header that this artkit writes, and the newest that it reads."""

Positive = Annotated[int, msgspec.Meta(ge=1)]


class ModelHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to use a model, so that nobody retypes a flag.

    `architecture` and `arguments` name the network for the method's own code. `inputs` maps each port to its kind;
    `classes` is the class set of a label-map input or output. `conditions` are what a conditional model may be told
    and the words it knows, in index order: `{"time": ("dawn", "noon")}`. `value_range` is the range the network itself
    works in; translators map to and from [0, 1]. Sides must be multiples of `size_multiple` and at least
    `size_minimum` pixels, with `size_margin` pixels of mirrored picture around. `training` says how the model was
    made: data, steps, seed, version, scores. `artkit` is the version that wrote the file. Keys this version does not
    know are ignored; a `format` above `FORMAT` is refused.
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
    size_multiple: Positive = 1
    size_minimum: Positive = 1
    size_margin: Annotated[int, msgspec.Meta(ge=0)] = 0
    training: dict[str, Any] = {}
    licence: str = ""
    artkit: str = ""
