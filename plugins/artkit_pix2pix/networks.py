"""What a pix2pix generator takes: its arguments, and the encoding of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import torch
from torch import Tensor

from artkit.nn import STROKE_CHANNELS, Arguments, GeneratorArguments, encode_image
from artkit.nn.layout import lay_out


class Pix2PixArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a pix2pix model records: its generator, its noise z, whether it sees heights, and the words
    of its conditions where nothing is known.
    """

    generator: GeneratorArguments
    noise: Literal["none", "strokes"] = "none"
    heights: bool = False
    default_conditions: Annotated[Mapping[str, str], msgspec.Meta(max_length=64)] = msgspec.field(default_factory=dict)

    @property
    def channels(self) -> int:
        """Channels of a picture as the generator takes it: 3, or 1 for grey."""
        return 1 if self.generator.in_channels == 1 else 3


def noise_channels(noise: Literal["none", "strokes"]) -> int:
    """Return how many channels z has."""
    return STROKE_CHANNELS if noise == "strokes" else 0


def encode_input(image: Tensor, classes: int | None, *beside: Tensor | None, channels: int = 3) -> Tensor:
    """Make the generator's input: one-hot of a label map (N H W), or a picture of 3 channels or 1.

    Behind it comes what there is of `beside`: z, heights.
    """
    fields = [field for field in beside if field is not None]
    if classes is None:
        x = encode_image(image, channels)
    else:
        dtype = fields[0].dtype if fields else torch.get_default_dtype()
        blank = torch.zeros(len(image), classes, *image.shape[1:], dtype=dtype, device=image.device)
        x = blank.scatter_(1, image.clamp(0, classes - 1)[:, None], 1)
    return lay_out(torch.cat([x, *fields], 1) if fields else x)


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
