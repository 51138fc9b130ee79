"""The ResNet generator of CycleGAN (Zhu et al. 2017, appendix 7.2; after Johnson et al. 2016)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from torch import Tensor, nn

from artkit.nn.antialias import BlurDown, BlurUp
from artkit.nn.arguments import Channels, Filters, NetworkArguments
from artkit.nn.dropout import PictureDropout
from artkit.nn.norm import make_norm
from artkit.nn.options import NormKind
from artkit.nn.tiling import in_tiles
from artkit.spec import SizeRule

Upsample = Literal["transposed", "resize"]


class ResnetBlock(nn.Module):
    """Two reflected 3x3 convolutions with a skip around them."""

    def __init__(self, channels: int, norm: NormKind, dropout: bool) -> None:
        super().__init__()
        bias = norm == "instance"
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            make_norm(norm, channels),
            nn.ReLU(),
            PictureDropout(0.5) if dropout else nn.Identity(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            make_norm(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to the same shape."""
        y = in_tiles(self.body[:2], x, halo=1)
        y = in_tiles(self.body[2:7], y, halo=1)
        return in_tiles(self._add, y, x, halo=0)

    def _add(self, y: Tensor, x: Tensor) -> Tensor:
        return x + self.body[7](y)


class ResnetGenerator(nn.Module):
    """c7s1-w, d2w, d4w, `blocks` residual blocks, u2w, uw, c7s1-out with tanh: output in [-1, 1].

    Sides must be multiples of 4 and at least 8. 9 blocks for 256 px and larger, 6 for 128 px. `upsample="resize"` goes
    back up by nearest-neighbour interpolation and a convolution, which leaves no checkerboard (Odena et al. 2016). With
    `antialias` halving and doubling go through blur filters, as in CUT (Park et al. 2020), instead of strided
    convolutions. Convolutions have biases under instance norm and at the end, as in the authors' code.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        blocks: int = 9,
        width: int = 64,
        norm: NormKind = "instance",
        dropout: bool = False,
        antialias: bool = False,
        upsample: Upsample = "transposed",
    ) -> None:
        super().__init__()
        bias = norm == "instance"
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7, bias=bias)]
        layers += [make_norm(norm, width), nn.ReLU(), *_halve(width, norm, bias, antialias)]
        cuts = [len(layers)]
        layers += _halve(2 * width, norm, bias, antialias)
        cuts.append(len(layers))
        layers += [ResnetBlock(4 * width, norm, dropout) for _ in range(blocks)]
        cuts.append(len(layers))
        how = "blur" if antialias else upsample
        layers += [*_double(4 * width, bias, how), make_norm(norm, 2 * width), nn.ReLU()]
        cuts.append(len(layers))
        layers += [*_double(2 * width, bias, how), make_norm(norm, width), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.body, self._cuts = nn.Sequential(*layers), cuts

    def forward(self, x: Tensor) -> Tensor:
        """Map N in_channels H W to N out_channels H W."""
        half, quarter, blocks, half_again = self._cuts
        x = in_tiles(self.body[:half], x, halo=6, multiple=2)
        x = in_tiles(self.body[half:quarter], x, halo=2, multiple=2)
        x = self.body[quarter:blocks](x)
        x = in_tiles(self.body[blocks:half_again], x, halo=2)
        return in_tiles(self.body[half_again:], x, halo=4)


def _halve(channels: int, norm: NormKind, bias: bool, antialias: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, 2 * channels, 3, 1 if antialias else 2, 1, bias=bias)
    blur = [BlurDown(2 * channels)] if antialias else []
    return [convolution, make_norm(norm, 2 * channels), nn.ReLU(), *blur]


def _double(channels: int, bias: bool, how: Literal["transposed", "resize", "blur"]) -> list[nn.Module]:
    if how == "transposed":
        return [nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1, bias=bias)]
    if how == "blur":
        return [BlurUp(channels), nn.Conv2d(channels, channels // 2, 3, 1, 1, bias=bias)]
    grow = [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1)]
    return [*grow, nn.Conv2d(channels, channels // 2, 3, bias=bias)]


class ResnetArguments(NetworkArguments, frozen=True, kw_only=True, tag="resnet"):
    """The arguments of a ResnetGenerator."""

    in_channels: Channels
    out_channels: Channels
    blocks: Annotated[int, msgspec.Meta(ge=0, le=64)] = 9
    width: Filters = 64
    norm: NormKind = "instance"
    dropout: bool = False
    antialias: bool = False
    upsample: Upsample = "transposed"

    @property
    def architecture(self) -> str:
        """Return `resnet_N`, of N blocks."""
        return f"resnet_{self.blocks}"

    @property
    def size_rule(self) -> SizeRule:
        """Sides are halved twice; blocks mirror borders at a quarter of the size."""
        return SizeRule(multiple=4, minimum=8)

    def build(self) -> ResnetGenerator:
        """Make the network."""
        return ResnetGenerator(**self.values())
