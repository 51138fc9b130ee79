"""What a model of the colouriser records: enough to build its network again."""

from __future__ import annotations

from artkit.nn import Arguments, SubpixelArguments


class ColouriserArguments(Arguments, frozen=True, kw_only=True):
    """The arguments of the network, from luminance to chroma."""

    generator: SubpixelArguments


def network_arguments(width: int, blocks: int) -> ColouriserArguments:
    """Return the arguments of a network of that many filters and blocks."""
    generator = SubpixelArguments(
        in_channels=1, out_channels=2, width=width, blocks=blocks, detail=(16, 16), norm="none", upsample="resize"
    )
    return ColouriserArguments(generator=generator)
