"""The two generators of a cyclegan model, and what they see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from artkit.nn import STROKE_CHANNELS, ResnetGenerator, SubpixelNet, UnetGenerator

AB, BA = "AtoB", "BtoA"
GENERATORS = {AB: "generator_a", BA: "generator_b"}
"""The generator of each direction, in model files and in training."""
MANNER = "manner"
"""The condition that tells the domains B apart where there are several."""

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def make_generator(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build the network called `architecture`."""
    known = dict(arguments)
    if architecture == "subpixel":
        return SubpixelNet(**known)
    if architecture.startswith("unet"):
        return UnetGenerator(levels=8 if architecture == "unet_256" else 7, **known)
    return ResnetGenerator(blocks=9 if architecture == "resnet_9" else 6, **known)


def make_generators(architecture: str, arguments: Mapping[str, Any]) -> dict[str, nn.Module]:
    """Build the generators of a model from its header's arguments, by their names in the file.

    `generator` holds the constructor's arguments from A to B. The way back has the channels exchanged, sees no strokes
    and is told no manner.
    """
    forth = dict(arguments["generator"])
    strokes = STROKE_CHANNELS if arguments.get("noise") == "strokes" else 0
    back = forth | {"in_channels": forth["out_channels"], "out_channels": forth["in_channels"] - strokes}
    back.pop("condition_channels", None)
    known = {AB: forth, BA: back}
    return {
        GENERATORS[direction]: make_generator(architecture, known[direction]) for direction in arguments["directions"]
    }


def size_multiple(architecture: str) -> int:
    """Return what the sides must be multiples of."""
    return {"unet_256": 256, "unet_128": 128}.get(architecture, 4)


def encode(image: Tensor, channels: int) -> Tensor:
    """Make a network's picture, N `channels` H W in [-1, 1], of N3HW in [0, 1]; one channel is the luminance."""
    return (image if channels == 3 else luminance(image)) * 2 - 1


def decode(output: Tensor) -> Tensor:
    """Make N3HW in [0, 1] of a network's picture."""
    return ((output + 1) / 2).expand(-1, 3, -1, -1)


def luminance(image: Tensor) -> Tensor:
    """Return the luminance, N1HW, of N3HW; one channel is its own."""
    if image.shape[1] == 1:
        return image
    return (image * image.new_tensor(LUMINANCE).view(1, 3, 1, 1)).sum(1, keepdim=True)


def luminance_correlation(x: Tensor, y: Tensor) -> Tensor:
    """Return how the luminances of two batches of pictures correlate, averaged over the batch: -1 is a negative."""
    x, y = (luminance(picture.float()).flatten(1) for picture in (x, y))
    return torch.cosine_similarity(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)).mean()
