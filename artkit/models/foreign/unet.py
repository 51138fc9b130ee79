"""U-Net generators of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

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

OUTER = "model.model"
DEEPEST = 16  # halvings: 65,536 px to one, far beyond anything trained


class UnetLayout(Layout):
    """Blocks inside blocks: `model.model.1.model.3.model.3...`, each with its way down, the next block, its way up.

    No tensor tells whether it was trained with dropout, which is off anyway unless asked for.
    """

    role: Role = "generator"

    def guess(self, shapes: Shapes) -> Arguments:
        """See Layout."""
        levels = 2
        inner = f"{OUTER}.1.model.3.model."
        while levels < DEEPEST and any(name.startswith(inner) for name in shapes):
            levels, inner = levels + 1, f"{inner}3.model."
        return {
            "in_channels": side(shapes, f"{OUTER}.0.weight", 1),
            "out_channels": side(shapes, f"{OUTER}.3.weight", 1),
            "levels": levels,
            "width": side(shapes, f"{OUTER}.0.weight", 0),
            "norm": norm_of(shapes, f"{OUTER}.1.model.1", f"{OUTER}.1.model.2"),
            "dropout": True,
        }

    def entries(self, arguments: Mapping[str, Any]) -> Iterator[Entry]:
        """See Layout."""
        width, levels, norm = arguments["width"], arguments["levels"], arguments["norm"]
        bias = norm == "instance"
        enter, out = (width, arguments["in_channels"], 4, 4), arguments["out_channels"]
        yield from convolution(f"{OUTER}.0", "enter", enter, width if bias else None)
        theirs, ours = f"{OUTER}.1", "inner"
        for level in range(1, levels):
            channels, inside, innermost = _width(width, level - 1), _width(width, level), level == levels - 1
            yield from convolution(
                f"{theirs}.model.1", f"{ours}.down.1", (inside, channels, 4, 4), inside if bias else None
            )
            if not innermost:
                yield from normalisation(f"{theirs}.model.2", f"{ours}.down_norm", norm, inside)
            up, joined = (3, inside) if innermost else (5, 2 * inside)
            shape = (joined, channels, 4, 4)
            yield from convolution(f"{theirs}.model.{up}", f"{ours}.up.1", shape, channels if bias else None)
            yield from normalisation(f"{theirs}.model.{up + 1}", f"{ours}.up.2", norm, channels)
            theirs, ours = f"{theirs}.model.3", f"{ours}.inner"
        yield from convolution(f"{OUTER}.3", "leave.1", (2 * width, out, 4, 4), out)

    def network(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        return f"unet_{2 ** arguments['levels']}"

    def owns(self, network: str, arguments: Mapping[str, Any]) -> bool:
        """See Layout."""
        return network.startswith("unet_")

    def words(self, arguments: Mapping[str, Any]) -> str:
        """See Layout."""
        return f"U-Net-{2 ** arguments['levels']}, {describe(arguments)}"


def _width(width: int, level: int) -> int:
    return width * min(2**level, 8)
