"""Generator and words of spade as a graph for other programs: from a label map and words to a picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import class_planes, decode_image, fix_length, height_planes


class PortableSmall(nn.Module):
    """The small networks, told in words; they draw their own heights.

    `neutral`: the code, 1 C, of the model's default look, from which `strength` goes to that of the words.
    """

    neutral: Tensor

    def __init__(
        self, generator: nn.Module, words: nn.Module, neutral: Tensor, strength: float, *, classes: int, margin: int
    ) -> None:
        super().__init__()
        self.generator, self.words = generator, words
        self.strength, self.classes, self.margin = strength, classes, margin
        self.register_buffer("neutral", neutral)

    def forward(self, labels: Tensor, *others: Tensor) -> Tensor:
        """Map labels N H W, strokes and one-hot words where it takes them, to pictures N3HW."""
        m = class_planes(labels, self.classes)
        *strokes, row = others
        code = self.words(F.pad(row, (1, 0), value=1.0))
        w = fix_length(torch.lerp(self.neutral, code, self.strength))
        return decode_image(self.generator(torch.cat([m, *strokes, height_planes(m, self.margin)], 1), w))
