"""RRDBNet, the generator of ESRGAN and Real-ESRGAN (Wang et al. 2018 and 2021)."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn.arguments import Blocks, Filters, NetworkArguments
from artkit.nn.layout import lay_out
from artkit.nn.tiling import in_tiles, reach
from artkit.spec import SizeRule

RESIDUAL_SCALE = 0.2  # ESRGAN, section 3.1: residuals are scaled down before they are added
SLOPE = 0.2


class DenseBlock(nn.Module):
    """Five convolutions, each seeing what all before it made, and a scaled skip around them."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        inputs = [width + index * growth for index in range(5)]
        outputs = [growth] * 4 + [width]
        for index, (before, after) in enumerate(zip(inputs, outputs, strict=True), 1):
            self.add_module(f"conv{index}", nn.Conv2d(before, after, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Map N width H W to the same shape."""
        known = x
        *first, last = self.children()
        for conv in first:
            known = torch.cat([known, F.leaky_relu(conv(known), SLOPE)], 1)
        return x + RESIDUAL_SCALE * last(known)


class Rrdb(nn.Module):
    """A residual in residual dense block: three dense blocks and a scaled skip around them."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """Map N width H W to the same shape."""
        return in_tiles(self._add, x, halo=15)

    def _add(self, x: Tensor) -> Tensor:
        return x + RESIDUAL_SCALE * self.rdb3(self.rdb2(self.rdb1(x)))


class RrdbNet(nn.Module):
    """RRDB blocks without any norm, then `doublings` steps of nearest-neighbour enlargement and convolution.

    Parameters bear the names of Real-ESRGAN's files. With `unshuffle` u the picture comes in as u x u pixels a cell,
    so that scale = 2^doublings / u; sides must be multiples of u. Values are those of [0, 1], in and out.
    """

    def __init__(
        self, width: int = 64, blocks: int = 23, growth: int = 32, doublings: int = 2, unshuffle: int = 1
    ) -> None:
        super().__init__()
        self.width, self.growth = width, growth
        self.scale, self.unshuffle, self.doublings = 2**doublings // unshuffle, unshuffle, doublings
        self.conv_first = nn.Conv2d(3 * unshuffle**2, width, 3, padding=1)
        self.body = nn.Sequential(*(Rrdb(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for step in range(doublings):
            self.add_module(f"conv_up{step + 1}", nn.Conv2d(width, width, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    @property
    def _tail_halo(self) -> int:
        """How many cells around it an output pixel depends on, of what the blocks make."""
        steps = [(3, 2.0 ** (step + 1)) for step in range(self.doublings)]
        return reach((3, 1.0), *steps, *[(3, 2.0**self.doublings)] * 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map N3HW to N 3 scale*H scale*W."""
        cells = lay_out(F.pixel_unshuffle(x.to(self.conv_last.weight.dtype), self.unshuffle))
        y = in_tiles(self.conv_first, cells, halo=1)
        return in_tiles(self._enlarge, self.body(y), y, halo=self._tail_halo)

    def _enlarge(self, y: Tensor, first: Tensor) -> Tensor:
        """Map the features of the blocks, and those before them, to a picture 2^doublings as large."""
        y = first + self.conv_body(y)
        for step in range(self.doublings):
            conv = self.get_submodule(f"conv_up{step + 1}")
            y = F.leaky_relu(conv(F.interpolate(y, scale_factor=2, mode="nearest")), SLOPE)
        return self.conv_last(F.leaky_relu(self.conv_hr(y), SLOPE))


class RrdbArguments(NetworkArguments, frozen=True, kw_only=True, tag="rrdb"):
    """The arguments of an RrdbNet."""

    width: Filters = 64
    blocks: Blocks = 23
    growth: Filters = 32
    doublings: Annotated[int, Meta(ge=0, le=4)] = 2
    unshuffle: Literal[1, 2, 4] = 1

    def __post_init__(self) -> None:
        if 2**self.doublings < self.unshuffle:
            raise ValueError(f"{self.doublings} doublings do not undo an unshuffle of {self.unshuffle}")

    @property
    def scale(self) -> int:
        """Output pixels for each input pixel, along a side."""
        return 2**self.doublings // self.unshuffle

    @property
    def size_rule(self) -> SizeRule:
        """Sides that unshuffling divides."""
        return SizeRule(multiple=self.unshuffle)

    def build(self) -> RrdbNet:
        """Make the network."""
        return RrdbNet(**self.values())
