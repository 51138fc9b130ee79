"""The two generators of a cyclegan model, and what they see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from artkit.nn import STROKE_CHANNELS, SubpixelNet, generator_minimum, generator_multiple
from artkit.nn import make_generator as make_known

AB, BA = "AtoB", "BtoA"
GENERATORS = {AB: "generator_a", BA: "generator_b"}
"""The generator of each direction, in model files and in training."""
MANNER = "manner"
"""The condition that tells the domains B apart where there are several."""


def make_generator(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build the network called `architecture`."""
    return SubpixelNet(**arguments) if architecture == "subpixel" else make_known(architecture, arguments)


def make_generators(
    architecture: str, arguments: Mapping[str, Any], directions: Iterable[str] = (AB, BA)
) -> dict[str, nn.Module]:
    """Build a model's generators of `directions` from its header's arguments, by their names in the file.

    `generator` holds the constructor's arguments from A to B. The way back has the channels exchanged, sees no strokes
    and is told no manner.
    """
    forth = dict(arguments["generator"])
    strokes = STROKE_CHANNELS if arguments.get("noise") == "strokes" else 0
    back = forth | {"in_channels": forth["out_channels"], "out_channels": forth["in_channels"] - strokes}
    back.pop("condition_channels", None)
    known = {AB: forth, BA: back}
    return {GENERATORS[direction]: make_generator(architecture, known[direction]) for direction in directions}


def size_multiple(architecture: str) -> int:
    """Return what the sides must be multiples of."""
    return 4 if architecture == "subpixel" else generator_multiple(architecture)


def size_minimum(architecture: str) -> int:
    """Return the least side of a picture, in pixels."""
    return 4 if architecture == "subpixel" else generator_minimum(architecture)
