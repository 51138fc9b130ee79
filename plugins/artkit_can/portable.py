"""CAN's generator as a graph for other programs."""

from __future__ import annotations

from torch import Tensor, nn

from artkit.nn import decode_image


class PortableDream(nn.Module):
    """The generator; where it paints with strokes, the picture becomes as large as their field."""

    def __init__(self, generator: nn.Module, temperature: float) -> None:
        super().__init__()
        self.generator, self.temperature = generator, temperature

    def forward(self, z: Tensor, strokes: Tensor | None = None) -> Tensor:
        """Map z, N `latent`, and strokes N C H W to N3HW in [0, 1]."""
        size = None if strokes is None else (strokes.shape[-2], strokes.shape[-1])
        return decode_image(self.generator(self.temperature * z, strokes, size))
