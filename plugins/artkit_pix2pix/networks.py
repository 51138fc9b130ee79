"""The generator of a pix2pix model: a network, and what it sees besides the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from artkit.nn import SubpixelNet, encode_picture, generator_multiple, make_generator as make_known

Conditions = Mapping[str, tuple[str, ...]]


def make_generator(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build the network called `architecture` with the arguments that a model's header records."""
    return SubpixelNet(**arguments) if architecture == "subpixel" else make_known(architecture, arguments)


def size_multiple(architecture: str) -> int:
    """Return what the sides must be multiples of."""
    return 4 if architecture == "subpixel" else generator_multiple(architecture)


def encode_input(image: Tensor, classes: int | None, noise: Tensor | None, channels: int = 3) -> Tensor:
    """Make the network's input: one-hot of a label map (N H W), or a picture of 3 channels or 1; z behind it."""
    if classes is not None:
        places = image.clamp(0, classes - 1)[:, None]
        dtype = noise.dtype if noise is not None else torch.get_default_dtype()
        blank = torch.zeros(len(image), classes, *image.shape[1:], dtype=dtype, device=image.device)
        image = blank.scatter_(1, places, 1)
    else:
        image = encode_picture(image, channels)
    return image if noise is None else torch.cat([image, noise], 1)


def encode_conditions(values: list[dict[str, str]], conditions: Conditions) -> Tensor:
    """Make one one-hot row a picture, N C, from the value of each condition; what is not known stays zero."""
    rows = [[float(row.get(name) == value) for name, known in conditions.items() for value in known] for row in values]
    return torch.tensor(rows)


def disturb(source: Tensor, classes: int | None, kind: str, level: float) -> Tensor:
    """Add noise to the input in training: a study of seed-free robustness, off by default.

    `gaussian` adds N(0, level) to a picture in [0, 1]; for label maps, as for `labels`, a share `level` of the pixels
    takes a random class.
    """
    if kind == "none":
        return source
    if classes is None:
        return source + level * torch.randn_like(source)
    swapped = torch.rand(source.shape, device=source.device) < level
    return torch.where(swapped, torch.randint_like(source, classes), source)
