"""The two generators of a cyclegan model, and the sizes they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from artkit.nn import SubpixelNet, generator_minimum, generator_multiple, make_generator
from artkit_cyclegan.painter import Painter

AB, BA = "AtoB", "BtoA"
GENERATORS = {AB: "generator_a", BA: "generator_b"}
"""The generator of each direction, in model files and in training."""
MANNER = "manner"
"""The condition that tells the domains B apart where there are several."""
PAINTER, SUBPIXEL = "painter", "subpixel"
OURS = {PAINTER, SUBPIXEL}
"""Networks that are not the papers': fast, steered by conditions, adding to the picture."""
MULTIPLE, MARGIN = 4, 16  # px, of our networks: their zero padding shows as a rim about so wide


def make_generators(
    architecture: str, arguments: Mapping[str, Any], directions: Iterable[str] = (AB, BA)
) -> dict[str, nn.Module]:
    """Build a model's generators of `directions` from its header's arguments, by their names in the file.

    `generator` holds the constructor's arguments from A to B. The way back has the channels exchanged and is told no
    manner; from painting to photo no strokes are laid.
    """
    forth = dict(arguments["generator"])
    back = forth | {"in_channels": forth["out_channels"], "out_channels": forth["in_channels"]}
    back.pop("condition_channels", None)
    known = {AB: forth, BA: back}
    return {GENERATORS[way]: _make(architecture, known[way], way) for way in directions}


def _make(architecture: str, arguments: Mapping[str, Any], direction: str) -> nn.Module:
    if architecture == PAINTER and direction == AB:
        return Painter(**arguments)
    if architecture in OURS:
        return SubpixelNet(**arguments, residual=arguments["in_channels"] == arguments["out_channels"])
    return make_generator(architecture, arguments)


def size_multiple(architecture: str) -> int:
    """Return what the sides must be multiples of."""
    return MULTIPLE if architecture in OURS else generator_multiple(architecture)


def size_minimum(architecture: str) -> int:
    """Return the least side of a picture, in pixels."""
    return MULTIPLE if architecture in OURS else generator_minimum(architecture)


def size_margin(architecture: str) -> int:
    """Return how much mirrored picture goes around one, in pixels."""
    return MARGIN if architecture in OURS else 0
