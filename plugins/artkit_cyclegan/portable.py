"""The generator of one direction as a graph for other programs."""

from __future__ import annotations

from torch import Tensor, nn

from artkit.nn import decode_image, encode_image
from artkit_cyclegan.networks import with_noise


class PortableGenerator(nn.Module):
    """A generator that takes and gives pictures in [0, 1], and strokes behind them where it paints with such."""

    def __init__(self, generator: nn.Module, channels: int, *, strokes: bool) -> None:
        super().__init__()
        self.generator, self.channels, self.strokes = generator, channels, strokes

    def forward(self, image: Tensor, *others: Tensor) -> Tensor:
        """Map N3HW in [0, 1], strokes and a condition where it takes them, to N3HW."""
        beside = list(others)
        z = beside.pop(0) if self.strokes else None
        return decode_image(self.generator(with_noise(encode_image(image, self.channels), z), *beside))
