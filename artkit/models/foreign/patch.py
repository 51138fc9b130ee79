"""Discriminators of pytorch-CycleGAN-and-pix2pix and, with anti-alias filters, of CUT."""

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


class PatchLayout(Layout):
    """PatchGAN of n layers: `model.N.*`, a convolution at every third place, a fourth where it is filtered."""

    role: Role = "discriminator"

    def guess(self, shapes: Shapes) -> Arguments:
        """See Layout."""
        convolutions = [
            name for name in shapes if re.fullmatch(r"model\.\d{1,6}\.weight", name) and len(shapes[name]) == 4
        ]
        second = 3 if (antialias := any(name.endswith(".filt") for name in shapes)) else 2
        return {
            "in_channels": side(shapes, "model.0.weight", 1),
            "width": side(shapes, "model.0.weight", 0),
            "layers": max(len(convolutions) - 2, 1),
            "norm": norm_of(shapes, f"model.{second}", f"model.{second + 1}"),
            "antialias": antialias,
        }

    def entries(self, arguments: Mapping[str, Any]) -> Iterator[Entry]:
        """See Layout."""
        layers, norm, antialias = arguments["layers"], arguments["norm"], arguments.get("antialias", False)
        channels, place = arguments["in_channels"], 0
        for index in range(layers + 1):
            out, ours = arguments["width"] * min(2**index, 8), f"stages.{index}"
            bias = out if index == 0 or norm == "instance" else None
            yield from convolution(f"model.{place}", f"{ours}.0", (out, channels, 4, 4), bias)
            if index:
                yield from normalisation(f"model.{place + 1}", f"{ours}.1", norm, out)
            place += 3 if index else 2
            if antialias and index < layers:
                yield Entry(f"model.{place}.filt", f"{ours}.3.filter", (out, 1, 3, 3))
                place += 1
            channels = out
        yield from convolution(f"model.{place}", f"stages.{layers + 1}.0", (1, channels, 4, 4), 1)

    def network(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        return "patch"

    def owns(self, network: str, arguments: Mapping[str, Any]) -> bool:
        """See Layout."""
        return network == "patch" and arguments["layers"] > 0

    def words(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        filtered = ", anti-aliased as in CUT" if arguments["antialias"] else ""
        return f"PatchGAN discriminator, {arguments['layers']} layers, {describe(arguments)}{filtered}"


class PixelLayout(Layout):
    """The pixel discriminator: three 1x1 convolutions `net.0`, `net.2`, `net.5`."""

    role: Role = "discriminator"

    def guess(self, shapes: Shapes) -> Arguments:
        """See Layout."""
        return {
            "in_channels": side(shapes, "net.0.weight", 1),
            "width": side(shapes, "net.0.weight", 0),
            "layers": 0,
            "norm": norm_of(shapes, "net.2", "net.3"),
        }

    def entries(self, arguments: Mapping[str, Any]) -> Iterator[Entry]:
        """See Layout."""
        width, norm = arguments["width"], arguments["norm"]
        bias = norm == "instance"
        yield from convolution("net.0", "stages.0.0", (width, arguments["in_channels"], 1, 1), width)
        yield from convolution("net.2", "stages.1.0", (2 * width, width, 1, 1), 2 * width if bias else None)
        yield from normalisation("net.3", "stages.1.1", norm, 2 * width)
        yield from convolution("net.5", "stages.2.0", (1, 2 * width, 1, 1), 1 if bias else None)

    def network(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        return "patch"

    def owns(self, network: str, arguments: Mapping[str, Any]) -> bool:
        """See Layout."""
        return network == "patch" and arguments["layers"] == 0

    def words(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        return f"pixel discriminator, {describe(arguments)}"
