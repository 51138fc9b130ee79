"""The generator of igan for other programs."""

from __future__ import annotations

from torch import Tensor, nn

from artkit.nn import decode_image


class PortableGenerator(nn.Module):
    """The generator with pictures in [0, 1]."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor) -> Tensor:
        """Map z, N `latent`, to N 3 S S in [0, 1]."""
        return decode_image(self.generator(z))
