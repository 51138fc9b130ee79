"""The U-Net generator of pix2pix (Isola et al. 2017, section 6.1.1)."""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch
from torch import Tensor, nn

from artkit.nn.arguments import Channels, Filters, NetworkArguments
from artkit.nn.dropout import PictureDropout
from artkit.nn.norm import make_norm
from artkit.nn.options import NormKind
from artkit.nn.tiling import in_tiles
from artkit.spec import SizeRule


class UnetBlock(nn.Module):
    """Halve, run `inner`, double, and concatenate with what came in."""

    def __init__(
        self,
        channels: int,
        width: int,
        inner: UnetBlock | None,
        norm: NormKind,
        dropout: bool,
    ) -> None:
        super().__init__()
        bias = norm == "instance"
        self.down = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(channels, width, 4, 2, 1, bias=bias))
        self.down_norm = make_norm(norm, width) if inner is not None else nn.Identity()
        self.inner = inner
        self.up = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(width if inner is None else 2 * width, channels, 4, 2, 1, bias=bias),
            make_norm(norm, channels),
            PictureDropout(0.5) if dropout else nn.Identity(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to N 2C H W: the block's input beside its output."""
        y = self.down_norm(self.down(x))
        if self.inner is not None:
            y = self.inner(y)
        return torch.cat([x, self.up(y)], 1)


class UnetGenerator(nn.Module):
    """Encoder and decoder with skips: `levels` halvings (8 for U-Net-256, 7 for U-Net-128), tanh output in [-1, 1].

    Sides must be multiples of 2 ** levels. Dropout sits on the three innermost wide decoder blocks, as in the paper.
    Convolutions have biases under instance norm and at the end, as in the authors' code.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        levels: int = 8,
        width: int = 64,
        norm: NormKind = "batch",
        dropout: bool = True,
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(levels)]
        self._multiple = 2**levels
        inner: UnetBlock | None = None
        for level in range(levels - 1, 0, -1):
            inner = UnetBlock(widths[level - 1], widths[level], inner, norm, dropout and 4 <= level < levels - 1)
        self.enter = nn.Conv2d(in_channels, width, 4, 2, 1, bias=norm == "instance")
        self.inner = inner
        self.leave = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, out_channels, 4, 2, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """Map N in_channels H W to N out_channels H W."""
        return in_tiles(self._translate, x, halo=None, multiple=self._multiple)

    def _translate(self, x: Tensor) -> Tensor:
        y = self.enter(x)
        assert self.inner is not None
        return self.leave(self.inner(y))


class UnetArguments(NetworkArguments, frozen=True, kw_only=True, tag="unet"):
    """The arguments of a UnetGenerator."""

    in_channels: Channels
    out_channels: Channels
    levels: Annotated[int, msgspec.Meta(ge=2, le=12)] = 8
    width: Filters = 64
    norm: NormKind = "batch"
    dropout: bool = True

    @property
    def architecture(self) -> str:
        """Return `unet_S`: sides are multiples of S."""
        return f"unet_{2**self.levels}"

    @property
    def size_rule(self) -> SizeRule:
        """Sides are halved down to one pixel."""
        return SizeRule(multiple=2**self.levels, minimum=max(8, 2**self.levels))

    def build(self) -> UnetGenerator:
        """Make the network."""
        return UnetGenerator(**self.values())
