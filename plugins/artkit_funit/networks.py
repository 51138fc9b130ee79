"""The generator of funit: a content encoder, and a decoder that a class code steers (Liu et al. 2019, section 3.1)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import SizeRule
from artkit.nn import (
    STROKE_CHANNELS,
    Arguments,
    Blocks,
    DilatedBlock,
    Filters,
    InstanceNorm,
    Modulated,
    MomentsEncoder,
    NetworkArguments,
    NoiseGate,
    double,
    in_tiles,
)
from artkit.nn.layout import lay_out

FAINT = 0.01
"""The variance, of a range of 2, below which a channel of a picture counts as flat: its noise is not blown up."""
BLUR = 7
"""Over how many pixels a side colours are averaged, and what is finer counts as detail."""
START = 0.4
"""How strong the content's own colours are before anything is learned: about the deviation of pictures in [-1, 1]."""


class Generator(nn.Module):
    """Content and class code to a picture; E_x and F_x of the paper, made for processors and for scenes.

    Two downsamplings, as its authors advise for scenes (imaginaire, issue 78), by pixel-unshuffle; blocks with instance
    norm, which takes the content's own look away; AdaIN residual blocks, whose scales and shifts are linear in the
    code, with strokes z laid under them; two modulated layers up; and at the end colours: an affine map that the code
    fills, of the blurred content's, and what the blur has left of it, as strong as the code says, as photos keep their
    details and paintings do not. What the network computes is added to them, nothing at first. Sides must be multiples
    of 4; the output is linear.
    """

    def __init__(
        self, noise: int, width: int, encoder_blocks: int, blocks: int, detail: tuple[int, int], code: int
    ) -> None:
        super().__init__()
        half, full = detail
        self.normal = InstanceNorm(3, eps=FAINT)
        self.enter = nn.Conv2d(16 * 3, width, 3, padding=1)
        self.encoder_blocks = nn.ModuleList(DilatedBlock(width, 1, "instance") for _ in range(encoder_blocks))
        self.gate = NoiseGate(code, noise) if noise else None
        self.lay = nn.Conv2d(16 * noise, width, 1) if noise else None
        self.blocks = nn.ModuleList(
            DilatedBlock(width, 1 + i % 2 * (1 + i // 2 % 2), "instance", code) for i in range(blocks)
        )
        self.to_half, self.to_full = Modulated(width, half, code), Modulated(half, full, code)
        self.mix = Modulated(full + 3 + noise, full, code)
        self.leave = nn.Conv2d(full, 3, 3, padding=1)
        self.colour = nn.Linear(code, 13)
        for layer in (self.leave, self.colour):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.colour.bias.data[:10] = START * torch.cat([torch.eye(3).flatten(), torch.ones(1)])

    def forward(self, x: Tensor, z: Tensor | None, w: Tensor) -> Tensor:
        """Map pictures N3HW in [-1, 1], strokes N `noise` H W and codes N `code` to pictures N3HW."""
        x = in_tiles(self.normal, x, halo=0)
        return self.decode(x, self.encode(x), z, w)

    def encode(self, x: Tensor) -> Tensor:
        """Return the content of normalised pictures: E_x."""
        y = in_tiles(self._enter, x, halo=4, multiple=4)
        for block in self.encoder_blocks:
            y = block(y)
        return y

    def decode(self, x: Tensor, content: Tensor, z: Tensor | None, w: Tensor) -> Tensor:
        """Return the picture of a content in the look of a code: F_x."""
        y, seen = content, x
        if z is not None and self.gate is not None:
            z = self.gate(z, w)
            y = in_tiles(self._lay, y, z, halo=0)
            seen = lay_out(torch.cat([x, z], 1))
        for block in self.blocks:
            y = block(y, w)
        return in_tiles(partial(self._leave, w=w), y, seen, halo=3)

    def _enter(self, x: Tensor) -> Tensor:
        return self.enter(F.pixel_unshuffle(x, 4))

    def _lay(self, y: Tensor, z: Tensor) -> Tensor:
        assert self.lay is not None
        return y + self.lay(F.pixel_unshuffle(z, 4))

    def _leave(self, y: Tensor, seen: Tensor, w: Tensor) -> Tensor:
        """Go up to the full resolution, see content and strokes once more, and add what was made to the colours."""
        y = self.to_full(double(self.to_half(double(y), w)), w)
        y = self.leave(self.mix(torch.cat([y, seen], 1), w))
        return self.paint_colours(seen[:, :3], w) + y

    def paint_colours(self, x: Tensor, w: Tensor) -> Tensor:
        """Return the colours of normalised pictures N3HW that a code gives them: `M blur(x) + b + d (x - blur(x))`."""
        matrix, detail, level = self.colour(w).split([9, 1, 3], 1)
        x = x.to(matrix.dtype)
        soft = F.avg_pool2d(x, BLUR, 1, BLUR // 2, count_include_pad=False)
        colours = torch.baddbmm(level[:, :, None], matrix.unflatten(1, (3, 3)), soft.flatten(2)).view_as(x)
        return torch.addcmul(colours, detail[:, :, None, None], x - soft)


class GeneratorArguments(NetworkArguments, frozen=True, kw_only=True, tag="funit"):
    """The arguments of a Generator and of the MomentsEncoder of its classes."""

    noise: Literal["none", "strokes"] = "strokes"
    width: Filters = 80
    encoder_blocks: Blocks = 2
    blocks: Blocks = 4
    detail: tuple[Filters, Filters] = (32, 24)
    code: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    class_width: Annotated[int, msgspec.Meta(ge=1, le=256)] = 24

    @property
    def weights(self) -> int:
        """Count the blocks."""
        return 18 * self.width**2 * (self.encoder_blocks + self.blocks)

    @property
    def size_rule(self) -> SizeRule:
        """Blocks see 4 x 4 pixels as one; their zero padding shows as a rim about as wide as the margin."""
        return SizeRule(multiple=4, minimum=4, margin=16)

    @property
    def noise_channels(self) -> int:
        """Channels of z."""
        return STROKE_CHANNELS if self.noise == "strokes" else 0

    def build(self) -> Generator:
        """Make the generator."""
        return Generator(self.noise_channels, self.width, self.encoder_blocks, self.blocks, self.detail, self.code)

    def build_encoder(self) -> MomentsEncoder:
        """Make the class encoder, E_y."""
        return MomentsEncoder(self.class_width, self.code)


class FunitArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a funit model records."""

    generator: GeneratorArguments
