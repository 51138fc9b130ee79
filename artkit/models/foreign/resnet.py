"""ResNet generators of pytorch-CycleGAN-and-pix2pix and, with anti-alias filters, of CUT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from artkit.models.foreign.layout import (
    Arguments,
    Entry,
    Layout,
    Shapes,
    convolution,
    describe,
    norm_of,
    normalisation,
    side,
)
from artkit.spec.checkpoint import Role


class ResnetLayout(Layout):
    """`model.N.*` in a row: conv7, two halvings, blocks `model.N.conv_block.*`, two doublings, conv7.

    The places shift by one where a filter (`.filt`) or, inside a block, dropout stands between.
    """

    role: Role = "generator"

    def guess(self, shapes: Shapes) -> Arguments:
        """See Layout."""
        blocks = {match[1] for name in shapes if (match := re.match(r"model\.(\d{1,6})\.conv_block\.", name))}
        convolutions = [
            name for name in shapes if re.fullmatch(r"model\.\d{1,6}\.weight", name) and len(shapes[name]) == 4
        ]
        last = max(convolutions, key=_place, default="")
        return {
            "in_channels": side(shapes, "model.1.weight", 1),
            "out_channels": side(shapes, last, 0),
            "blocks": len(blocks),
            "width": side(shapes, "model.1.weight", 0),
            "norm": norm_of(shapes, "model.4", "model.5"),
            "dropout": any(len(shapes.get(f"model.{block}.conv_block.6.weight", ())) == 4 for block in blocks),
            "antialias": any(name.endswith(".filt") for name in shapes),
        }

    def entries(self, arguments: Mapping[str, Any]) -> Iterator[Entry]:
        """See Layout."""
        width, norm, antialias = arguments["width"], arguments["norm"], arguments.get("antialias", False)
        yield from _layer(1, norm, (width, arguments["in_channels"], 7, 7), width)
        place = 4
        for channels in (width, 2 * width):
            yield from _layer(place, norm, (2 * channels, channels, 3, 3), 2 * channels)
            place += 3
            if antialias:
                yield _filter(place, (2 * channels, 1, 3, 3))
                place += 1
        for _ in range(arguments["blocks"]):
            yield from _block(place, norm, 4 * width, arguments["dropout"])
            place += 1
        for channels in (4 * width, 2 * width):
            half = channels // 2
            if antialias:
                yield _filter(place, (channels, 1, 4, 4))
                place += 1
            yield from _layer(place, norm, (half, channels, 3, 3) if antialias else (channels, half, 3, 3), half)
            place += 3
        out = arguments["out_channels"]
        yield from convolution(f"model.{place + 1}", f"body.{place + 1}", (out, width, 7, 7), out)

    def network(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        return f"resnet_{arguments['blocks']}"

    def owns(self, network: str, arguments: Mapping[str, Any]) -> bool:
        """See Layout."""
        return network.startswith("resnet_")

    def words(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        dropout = "with" if arguments["dropout"] else "without"
        filtered = ", anti-aliased as in CUT" if arguments["antialias"] else ""
        return f"ResNet-{arguments['blocks']}, {describe(arguments)}, trained {dropout} dropout{filtered}"


def _place(name: str) -> int:
    return int(name.split(".")[1])


def _layer(place: int, norm: str, shape: tuple[int, int, int, int], channels: int) -> Iterator[Entry]:
    """List a convolution and the norm after it."""
    bias = channels if norm == "instance" else None
    yield from convolution(f"model.{place}", f"body.{place}", shape, bias)
    yield from normalisation(f"model.{place + 1}", f"body.{place + 1}", norm, channels)


def _block(place: int, norm: str, channels: int, dropout: bool) -> Iterator[Entry]:
    """List a residual block; artkit's keeps a place for dropout whether or not it has any."""
    theirs, ours = f"model.{place}.conv_block", f"body.{place}.body"
    bias = channels if norm == "instance" else None
    for there, here in ((1, 1), (6 if dropout else 5, 6)):
        yield from convolution(f"{theirs}.{there}", f"{ours}.{here}", (channels, channels, 3, 3), bias)
        yield from normalisation(f"{theirs}.{there + 1}", f"{ours}.{here + 1}", norm, channels)


def _filter(place: int, shape: tuple[int, int, int, int]) -> Entry:
    return Entry(f"model.{place}.filt", f"body.{place}.filter", shape)
