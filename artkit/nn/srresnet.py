"""SRResNet, the generator of SRGAN (Ledig et al. 2017, figure 4)."""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta
from torch import Tensor, nn

from artkit.nn.arguments import Blocks, Filters, NetworkArguments
from artkit.nn.layout import lay_out
from artkit.nn.tiling import in_tiles, reach


class SrResnetBlock(nn.Module):
    """Convolution, batch norm, PReLU, convolution, batch norm, and a skip around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to the same shape."""
        return x + self.body(x)


class SrResnet(nn.Module):
    """k9n64, 16 residual blocks, a skip around them all, one pixel-shuffle for each doubling, k9n3 with tanh.

    As the paper has it, with batch norm: out of training it uses running averages, never the picture's own statistics.
    `scale` is a power of two.
    """

    def __init__(self, scale: int, width: int = 64, blocks: int = 16) -> None:
        super().__init__()
        self.scale, self.width, self.doublings = scale, width, int(math.log2(scale))
        self.enter = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*(SrResnetBlock(width) for _ in range(blocks)))
        self.after = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.up = nn.Sequential(*(_doubling(width) for _ in range(self.doublings)))
        self.leave = nn.Conv2d(width, 3, 9, padding=4)

    @property
    def halo(self) -> int:
        """How many input pixels around it an output pixel depends on."""
        trunk = [(9, 1.0), *[(3, 1.0)] * (2 * len(self.blocks) + 1)]
        return reach(*trunk, *((3, 2.0**step) for step in range(self.doublings)), (9, float(self.scale)))

    def forward(self, x: Tensor) -> Tensor:
        """Map N3HW in [0, 1] to N 3 scale*H scale*W in [0, 1]."""
        return in_tiles(self._enlarge, x, halo=self.halo)

    def _enlarge(self, x: Tensor) -> Tensor:
        y = self.enter(lay_out(x.to(self.leave.weight.dtype)))
        y = self.up(y + self.after(self.blocks(y)))
        return (self.leave(y).tanh() + 1) / 2


def _doubling(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU())


class SrResnetArguments(NetworkArguments, frozen=True, kw_only=True, tag="srresnet"):
    """The arguments of an SrResnet."""

    scale: Annotated[int, Meta(ge=2, le=16)]
    width: Filters = 64
    blocks: Blocks = 16

    def __post_init__(self) -> None:
        if self.scale.bit_count() != 1:
            raise ValueError(f"scale {self.scale} is no power of two")

    def build(self) -> SrResnet:
        """Make the network."""
        return SrResnet(**self.values())
