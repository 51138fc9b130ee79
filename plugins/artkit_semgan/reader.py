"""SemGAN's conditional form: read a picture as a label map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.images import ClassSet
from artkit.nn import DilatedBlock, in_tiles, whole_sum
from artkit.nn.layout import lay_out

NEARNESS = 20 / 255
"""Standard deviation, in [0, 1] units, of the colour noise under which the classes are first weighed."""
ERROR_SCALE = 8.0
"""Brings colour errors, an eighth at most, to the size of the other numbers."""


class Reader(nn.Module):
    """Picture to a class distribution at every pixel.

    Its prior is how near each colour is to the class colours; dilated residual blocks at half the resolution correct
    it. They see the colours and the prior. To allow for a tint, they are also told of the picture as a whole how
    much of it each class would get by colour alone, and by how much its colours would be off.
    """

    palette: Tensor

    def __init__(self, classes: ClassSet, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        count = len(classes)
        # Bytes, so that a model in half precision keeps the exact colours.
        self.register_buffer("palette", torch.tensor(classes.colours, dtype=torch.uint8), persistent=False)
        self.enter = nn.Conv2d(4 * (3 + count), width, 3, padding=1)
        self.blocks = nn.ModuleList(DilatedBlock(width, dilation, "none", 4 * count) for dilation in dilations)
        self.leave = nn.Conv2d(width, 4 * count, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Map N3HW in [0, 1], sides even, to logits N K H W; it may be finer than the weights' type."""
        image, dtype = image.float(), self.enter.weight.dtype
        with torch.autocast(image.device.type, enabled=False):
            distances = in_tiles(self.measure, image, halo=0)
            told = self.survey(image, distances).to(dtype)
        y = in_tiles(self._enter, image, distances, halo=2, multiple=2)
        for block in self.blocks:
            y = block(y, told)
        return in_tiles(self._leave, y, distances, halo=1)

    def measure(self, image: Tensor) -> Tensor:
        """Return how far each colour is from each class's, as normal noise would have it: N K H W, in nats."""
        palette = self.palette.float() / 255
        planes = [(image - colour[:, None, None]).square().sum(1) for colour in palette]
        return torch.stack(planes, 1) / (2 * NEARNESS**2)

    def survey(self, image: Tensor, distances: Tensor) -> Tensor:
        """Return each class's share of each picture and its mean colour error there: N 4K."""
        sums = whole_sum(_weigh, image, distances)
        total, colours = sums[..., :1], sums[..., 1:]
        errors = (colours - total * self.palette.float() / 255) / total.clamp_min(1.0)
        shares = total[..., 0] / (image.shape[-2] * image.shape[-1])
        return torch.cat([shares, ERROR_SCALE * errors.flatten(1)], 1)

    def _enter(self, image: Tensor, distances: Tensor) -> Tensor:
        x = (torch.cat([image, F.softmax(-distances, 1)], 1) * 2 - 1).to(self.enter.weight.dtype)
        return self.enter(lay_out(F.pixel_unshuffle(x, 2)))

    def _leave(self, y: Tensor, distances: Tensor) -> Tensor:
        return F.pixel_shuffle(self.leave(y), 2) - distances


def _weigh(image: Tensor, distances: Tensor) -> Tensor:
    """Return for each class how near the pixels are in total, and the colours' total by nearness: N K 4."""
    nearness = F.softmax(-distances, 1).flatten(2)
    return torch.cat([nearness.sum(2, keepdim=True), nearness @ image.flatten(2).mT], 2)
