"""EDSR, the residual network for super-resolution without normalisation (Lim et al. 2017)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn.arguments import Blocks, Filters, NetworkArguments
from artkit.nn.layout import lay_out
from artkit.nn.tiling import in_tiles


class EdsrBlock(nn.Module):
    """Convolution, ReLU, convolution, and a skip around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to the same shape."""
        return x + self.conv2(F.relu(self.conv1(x)))


class Edsr(nn.Module):
    """Enlarge a picture `scale` times: the bicubic enlargement, and what residual blocks add to it.

    Differs from the paper in that skip from the input, which lets a small network spend its weights on detail alone,
    and in going up by one pixel-shuffle right at the end (Shi et al. 2016), so that nothing is computed at full size.
    The last layer starts at zero: an untrained network is bicubic interpolation.
    """

    def __init__(self, scale: int, width: int = 32, blocks: int = 8) -> None:
        super().__init__()
        self.scale, self.width = scale, width
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*(EdsrBlock(width) for _ in range(blocks)))
        self.after = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, 3 * scale**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    @property
    def halo(self) -> int:
        """How many input pixels around it an output pixel depends on."""
        return 2 * len(self.blocks) + 3

    def forward(self, x: Tensor) -> Tensor:
        """Map N3HW in [0, 1] to N 3 scale*H scale*W, float32; the input may be finer than the weights' type."""
        return in_tiles(self._enlarge, x, halo=self.halo)

    def _enlarge(self, x: Tensor) -> Tensor:
        y = self.enter(lay_out(x.to(self.enter.weight.dtype)))
        y = self.leave(y + self.after(self.blocks(y)))
        return F.pixel_shuffle(y, self.scale).float() + enlarge_bicubic(x.float(), self.scale)


def enlarge_bicubic(image: Tensor, scale: int) -> Tensor:
    """Enlarge NCHW an integer number of times by bicubic interpolation (Keys 1981, a = -0.5, as Pillow and MATLAB)."""
    return F.interpolate(image, scale_factor=scale, mode="bicubic", antialias=True)


class EdsrArguments(NetworkArguments, frozen=True, kw_only=True, tag="edsr"):
    """The arguments of an Edsr."""

    scale: Annotated[int, Meta(ge=1, le=16)]
    width: Filters = 32
    blocks: Blocks = 8

    def build(self) -> Edsr:
        """Make the network."""
        return Edsr(**self.values())
