"""The papers' generators by name, and pictures as they take and give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from artkit.errors import ModelError
from artkit.nn.resnet import ResnetGenerator
from artkit.nn.unet import UnetGenerator

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as pictures are turned grey for training elsewhere


def make_generator(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build `resnet_N` (N blocks) or `unet_S` (log2 S halvings); `arguments` are those of the network's class.

    Raises ModelError for another name.
    """
    family, number = _parse(name)
    if family == "resnet":
        return ResnetGenerator(**{"blocks": number, **arguments})
    return UnetGenerator(**{"levels": number.bit_length() - 1, **arguments})


def generator_multiple(name: str) -> int:
    """Return what the sides of a picture must be multiples of, in pixels, for the generator called `name`."""
    family, number = _parse(name)
    return 4 if family == "resnet" else number


def generator_minimum(name: str) -> int:
    """Return the least side of a picture, in pixels: a ResNet mirrors borders at a quarter of the size."""
    return max(8, generator_multiple(name))


def encode_picture(image: Tensor, channels: int = 3) -> Tensor:
    """Map N3HW in [0, 1] to what a network of 3 channels, or 1 (grey), takes, in [-1, 1]."""
    if channels == 1:
        image = (image * image.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    return image * 2 - 1


def decode_picture(output: Tensor) -> Tensor:
    """Map a network's output, N3HW or N1HW (grey) in [-1, 1], to N3HW in [0, 1]."""
    return (output.expand(-1, 3, -1, -1) + 1) / 2


def _parse(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(resnet|unet)_(\d{1,5})", name)
    if match is None:
        raise ModelError(f"artkit has no generator '{name}': there are resnet_9, resnet_6, unet_256 and unet_128.")
    return match[1], int(match[2])
