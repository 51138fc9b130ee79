"""The segmenter of SemGAN as a graph for other programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PortableSegmenter(nn.Module):
    """The segmenter and the choice of the likeliest class; classes that are `barred` are never chosen."""

    def __init__(self, segmenter: nn.Module, classes: int, barred: list[int]) -> None:
        super().__init__()
        self.segmenter = segmenter
        penalty = torch.zeros(classes)
        penalty[barred] = -torch.inf
        self.register_buffer("penalty", penalty[:, None, None])

    def forward(self, image: Tensor) -> Tensor:
        """Map N3HW in [0, 1] to labels N H W."""
        return (self.segmenter(image).float() + self.penalty).argmax(1)
