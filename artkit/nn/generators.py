"""Generators by their typed arguments, and images as they take and give them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from torch import Tensor, nn

from artkit.errors import OptionError
from artkit.nn.norm import PictureBatchNorm
from artkit.nn.options import GanOptions
from artkit.nn.resnet import ResnetArguments
from artkit.nn.subpixel import SubpixelArguments
from artkit.nn.unet import UnetArguments

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as pictures are turned grey for training elsewhere

GeneratorArguments: TypeAlias = UnetArguments | ResnetArguments | SubpixelArguments
"""The arguments of a generator; a header's `network` tells which one it is."""


def generator_arguments(
    network: str, options: GanOptions, in_channels: int, out_channels: int, condition_channels: int = 0
) -> GeneratorArguments:
    """Return the arguments of the generator called `network` under these training options.

    `resnet_N` has N blocks, `unet_S` takes sides that are multiples of S; the third is `subpixel`. Raises OptionError
    for conditions where the network takes none, and for a way back up that it does not have.
    """
    family, _, number = network.partition("_")
    if condition_channels and family != "subpixel":
        raise OptionError(f"training: {network} takes no conditions; use network=subpixel.")
    values: dict[str, Any] = {"network": family, "in_channels": in_channels, "out_channels": out_channels}
    values |= {"width": options.width, "norm": options.norm}
    if family == "subpixel":
        values |= {"blocks": options.blocks, "detail": options.detail, "condition_channels": condition_channels}
        values |= {"upsample": _upsample(network, options, "resize", "shuffle")}
    elif family == "resnet":
        values |= {"blocks": int(number), "dropout": options.dropout, "antialias": options.antialias}
        values |= {"upsample": _upsample(network, options, "transposed", "resize")}
    else:
        values |= {"levels": int(number).bit_length() - 1, "dropout": options.dropout}
    arguments: GeneratorArguments = msgspec.convert(values, GeneratorArguments)
    return arguments


def _upsample(network: str, options: GanOptions, usual: str, other: str) -> str:
    if options.upsample not in (None, usual, other):
        raise OptionError(f"training: {network} has upsample={usual} or {other}, not {options.upsample}.")
    return options.upsample or usual


def exchange_channels(arguments: GeneratorArguments) -> GeneratorArguments:
    """Return the arguments of a generator that goes the other way: from the output's channels to the input's."""
    swapped = {"in_channels": arguments.out_channels, "out_channels": arguments.in_channels}
    exchanged: GeneratorArguments = msgspec.structs.replace(arguments, **swapped)
    return exchanged


def choose_statistics(generator: nn.Module, statistics: Literal["picture", "running"], owner: str) -> None:
    """Let batch norm use each picture's own statistics, as at test time in the papers, or those kept in training.

    Raises OptionError naming `owner`, the option, for running ones of a network that has no batch norm.
    """
    norms = [layer for layer in generator.modules() if isinstance(layer, PictureBatchNorm)]
    if statistics == "running" and not norms:
        raise OptionError(f"{owner}='running': this model has no batch norm; leave it out.")
    for norm in norms:
        norm.statistics = statistics


def encode_image(image: Tensor, channels: int = 3) -> Tensor:
    """Map N3HW in [0, 1] to what a network of 3 channels, or 1 (grey), takes, in [-1, 1]."""
    if channels == 1:
        image = (image * image.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    return image * 2 - 1


def decode_image(output: Tensor) -> Tensor:
    """Map a network's output, N3HW or N1HW (grey) in [-1, 1], to N3HW in [0, 1]."""
    return (output.expand(-1, 3, -1, -1) + 1) / 2
