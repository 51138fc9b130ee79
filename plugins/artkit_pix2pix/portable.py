"""The generator of pix2pix as a graph for other programs: from a picture or a label map to a picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from artkit.nn import class_planes, decode_image, encode_image


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
            planes.append(_heights_like(x, self.margin))
        return decode_image(self.generator(torch.cat(planes, 1), *beside))


def _heights_like(x: Tensor, margin: int) -> Tensor:
    """Return `artkit.nn.heights` of each picture of N C H W, whatever its size: a graph's sizes are not known."""
    rows = x.shape[-2]
    place = (torch.arange(rows, device=x.device) - margin + 0.5) / (rows - 2 * margin) * 2 - 1
    return place.clamp(-1, 1)[None, None, :, None].expand(x.shape[0], 1, rows, x.shape[-1])
