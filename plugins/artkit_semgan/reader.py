"""SemGAN's conditional form: read a picture as a label map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.images import ClassSet
from artkit.nn import SubpixelNet

NEARNESS = 20 / 255
"""Standard deviation, in [0, 1] units, of the colour noise under which the classes are first weighed."""
ERROR_SCALE = 8.0
"""Brings colour errors, an eighth at most, to the size of the other numbers."""


class Reader(nn.Module):
    """Picture to a class distribution at every pixel.

    It sees the colours and how near each is to each class colour. To allow for a tint, it is told of the picture as a
    whole how much of it each class would get by colour alone, and by how much its colours would be off.
    """

    palette: Tensor

    def __init__(self, classes: ClassSet, width: int, blocks: int, detail: tuple[int, int]) -> None:
        super().__init__()
        count = len(classes)
        # Bytes, so that a model in half precision keeps the exact colours.
        self.register_buffer("palette", torch.tensor(classes.colours, dtype=torch.uint8), persistent=False)
        self.net = SubpixelNet(3 + count, count, width, blocks, tuple(detail), "none", condition_channels=4 * count)

    def forward(self, image: Tensor) -> Tensor:
        """Map N3HW in [0, 1], sides multiples of 4, to logits N K H W."""
        with torch.autocast(image.device.type, enabled=False):
            nearness = self.weigh(image.float())
            told = self.survey(image.float(), nearness)
        x = torch.cat([image, nearness.to(image.dtype)], 1) * 2 - 1
        return self.net(x.contiguous(memory_format=torch.channels_last), told.to(image.dtype))

    def weigh(self, image: Tensor) -> Tensor:
        """Return each class's probability by colour alone, under normal noise: N K H W."""
        palette = self.palette.float() / 255
        products = F.conv2d(image, palette[:, :, None, None])
        distance = palette.square().sum(1)[:, None, None] - 2 * products
        return F.softmax(distance / (-2 * NEARNESS**2), 1)

    def survey(self, image: Tensor, nearness: Tensor) -> Tensor:
        """Return each class's share of each picture and its mean colour error there: N 4K."""
        weights = nearness.flatten(2)
        total = weights.sum(2, keepdim=True)
        errors = (weights @ image.flatten(2).mT - total * self.palette.float() / 255) / total.clamp_min(1.0)
        return torch.cat([weights.mean(2), ERROR_SCALE * errors.flatten(1)], 1)
