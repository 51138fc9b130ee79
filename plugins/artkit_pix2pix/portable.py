"""The generator of pix2pix as a graph for other programs: from a picture or a label map to a picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from artkit.nn import class_planes, decode_image, encode_image, height_planes


class PortableGenerator(nn.Module):
    """The generator with what it is fed and gives in the terms of pictures; it draws its own heights.

    `classes` counts those of the label maps that it takes, None where it takes pictures of `channels` channels.
    """

    def __init__(
        self, generator: nn.Module, classes: int | None, channels: int, *, strokes: bool, margin: int | None
    ) -> None:
        super().__init__()
        self.generator, self.classes, self.channels = generator, classes, channels
        self.strokes, self.margin = strokes, margin

    def forward(self, image: Tensor, *others: Tensor) -> Tensor:
        """Map a picture N3HW in [0, 1], or labels N H W, strokes and a condition where it takes them, to N3HW."""
        beside = list(others)
        x = encode_image(image, self.channels) if self.classes is None else class_planes(image, self.classes)
        planes = [x, beside.pop(0)] if self.strokes else [x]
        if self.margin is not None:
            planes.append(height_planes(x, self.margin))
        return decode_image(self.generator(torch.cat(planes, 1), *beside))
