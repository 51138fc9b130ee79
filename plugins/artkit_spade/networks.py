"""The small networks of spade: class tables driven by a style code of moments, in place of the paper's convolutions.

SPADE gives the map back after each normalisation, as a scale and a shift at every pixel (Park et al. 2019, section 3).
There convolutions of the map make the two; here a table does, one row a class, that the style code fills. Tan et al.
2021 (CLADE) show that knowing the class matters more than knowing the place; tables that depend on the style, as SEAN's
(Zhu et al. 2020), let each class take light its own way: the sky reddens, the grass does not.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import NoiseGate, NormKind, SubpixelNet, double, fix_length, in_tiles
from artkit.nn.layout import lay_out

NEIGHBOURS = 16
"""Features of the map around a pixel, which tell borders and their sides: all blocks of a resolution share them."""


class Modulation(nn.Module):
    """Normalise, then scale and shift every pixel by its class and its surroundings: SPADE from tables.

    `y = x / rms(x) (1 + gamma) + beta` with `(gamma, beta) = sum_c m_c T_c(w) + P f`: m the share of each class at the
    pixel, T(w) the table that the code w fills, f features of the map around. The root mean square is taken over
    channels at each pixel. So no statistics of the picture wash the map away, or differ between a crop that was
    learned from and a whole picture.
    """

    def __init__(self, channels: int, classes: int, code: int) -> None:
        super().__init__()
        self.classes, self.channels = classes, channels
        self.table = nn.Linear(code, classes * 2 * channels)
        self.around = nn.Parameter(torch.zeros(NEIGHBOURS, 2 * channels))
        nn.init.normal_(self.table.weight, 0.0, 0.02)
        nn.init.normal_(self.table.bias, 0.0, 0.1)

    def forward(self, x: Tensor, seen: Tensor, w: Tensor) -> Tensor:
        """Modulate N C H W by `seen`, N (classes + NEIGHBOURS) H W, and a code, N `code`."""
        rows = self.table(w).view(len(w), self.classes, 2 * self.channels)
        rows = torch.cat([rows, self.around.to(rows.dtype).expand(len(w), -1, -1)], 1)
        gamma, beta = mix(rows, seen).chunk(2, 1)
        return torch.addcmul(beta, x * (x.square().mean(1, keepdim=True) + 1e-4).rsqrt(), 1 + gamma)


def mix(rows: Tensor, shares: Tensor) -> Tensor:
    """Return the mixture of rows, N K C, in the shares N K H W: N C H W."""
    return torch.bmm(rows.transpose(1, 2), shares.flatten(2)).unflatten(2, shares.shape[2:])


class ModulatedBlock(nn.Module):
    """Pre-activation residual block of two modulated 3x3 convolutions; dilation widens its view at no cost."""

    def __init__(self, channels: int, dilation: int, classes: int, code: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (Modulation(channels, classes, code) for _ in range(2))
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, seen: Tensor, w: Tensor) -> Tensor:
        """Map N C H W, with the map `seen` and a code, to N C H W."""
        return in_tiles(partial(self._block, w=w), x, seen, halo=self.conv1.dilation[0] + 1)

    def _block(self, x: Tensor, seen: Tensor, w: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(x, seen, w)))
        return x + self.conv2(F.relu(self.norm2(y, seen, w)))


class TablesGenerator(nn.Module):
    """A trunk at a quarter of the resolution, two steps up, and base colours: map, strokes and code to a picture.

    As a SubpixelNet, but every layer is modulated by class and code, and the picture is not made from nothing: what
    the network computes is added to base colours, `sum_c m_c (a_c(w) + b_c(w) h)` with h the height in the picture,
    -1 at the top to 1. Those are worked out in closed form before training (fitting.py), so that light is right from
    the first step on and the adversary is left with the hand. Each channel of the noise comes in as strongly as the
    code says: strokes belong to some styles and not to others. Sides must be multiples of 4; the output is linear.
    """

    def __init__(self, classes: int, noise: int, width: int, blocks: int, detail: tuple[int, int], code: int) -> None:
        super().__init__()
        half, full = detail
        self.classes, self.noise = classes, noise
        self.base = nn.Linear(code, classes * 6)
        self.gate = NoiseGate(code, noise) if noise else None
        self.enter = nn.Conv2d(16 * (classes + noise), width, 1)
        self.around = nn.ModuleList(nn.Conv2d(classes, NEIGHBOURS, 3, padding=1) for _ in range(3))
        self.blocks = nn.ModuleList(
            ModulatedBlock(width, 1 + i % 2 * (1 + i // 2 % 2), classes, code) for i in range(blocks)
        )
        self.norm = Modulation(width, classes, code)
        self.to_half, self.half_norm = nn.Conv2d(width, half, 3, padding=1), Modulation(half, classes, code)
        self.to_full = nn.Conv2d(half, full, 3, padding=1)
        self.mix = nn.Conv2d(full + classes + noise, full, 3, padding=1)
        self.full_norm = Modulation(full, classes, code)
        self.leave = nn.Conv2d(full, 3, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map N (classes + noise + 1) H W and codes N `code` to pictures N 3 H W.

        The channels are the one-hot map, the noise z and the height of each pixel.
        """
        x = self._let_in(x, w)
        quarter, half = (in_tiles(partial(self._shares, cell=cell), x, halo=cell, multiple=cell) for cell in (4, 2))
        seen = in_tiles(partial(self._look, level=0), quarter, halo=1)
        y = in_tiles(self._enter, x, halo=0, multiple=4)
        for block in self.blocks:
            y = block(y, seen, w)
        y = in_tiles(partial(self._halve, w=w), y, seen, half, halo=3)
        return in_tiles(partial(self._leave, w=w), y, x, halo=4)

    def _let_in(self, x: Tensor, w: Tensor) -> Tensor:
        """Return the input with its noise as strong as the code says."""
        if self.gate is None:
            return x
        onehot, noise, height = x.split((self.classes, self.noise, 1), 1)
        return lay_out(torch.cat([onehot, self.gate(noise, w), height], 1))

    def _shares(self, x: Tensor, cell: int) -> Tensor:
        """Return the share of each class in cells: soft at borders, so that its modulation is a mixture."""
        return F.avg_pool2d(x[:, : self.classes], cell)

    def _look(self, shares: Tensor, level: int) -> Tensor:
        """Return the shares of classes, and features of the map around."""
        return torch.cat([shares, F.relu(self.around[level](shares))], 1)

    def _enter(self, x: Tensor) -> Tensor:
        return self.enter(F.pixel_unshuffle(x[:, :-1], 4))

    def _halve(self, y: Tensor, seen: Tensor, half: Tensor, w: Tensor) -> Tensor:
        """Go up from a quarter to half of the resolution; bilinear, as pixel-shuffle would leave a grid."""
        y = self.to_half(double(F.leaky_relu(self.norm(y, seen, w), 0.2)))
        return F.leaky_relu(self.half_norm(y, self._look(half, 1), w), 0.2)

    def _leave(self, y: Tensor, x: Tensor, w: Tensor) -> Tensor:
        """Go up to the full resolution, see the map and the strokes once more, and add the base colours."""
        shares, height = x[:, : self.classes], x[:, -1:]
        y = F.leaky_relu(self.to_full(double(y)), 0.2)
        y = self.mix(torch.cat([y, x[:, :-1]], 1))
        y = F.leaky_relu(self.full_norm(y, self._look(shares, 2), w), 0.2)
        return self.paint_base(shares, height, w) + self.leave(y)

    def paint_base(self, shares: Tensor, height: Tensor, w: Tensor) -> Tensor:
        """Return the base colours, N3HW in [-1, 1], of class shares N K H W at heights N1HW."""
        level, slope = mix(self.base(w).view(len(w), self.classes, 6), shares).chunk(2, 1)
        return torch.addcmul(level, slope, height)


class ConcatenatedGenerator(nn.Module):
    """pix2pix's small network, told map and code at its input alone, where SPADE modulates every layer.

    The code is concatenated to the map, as planes of one value each. Of such networks the paper says that their
    normalisation washes the map away, and measures them (section 3, "Why does SPADE work better?", and section 4). A
    SubpixelNet sees its input once more before its last layers: map and code both. Sides must be multiples of 4; the
    output is linear.
    """

    def __init__(self, seen: int, code: int, width: int, blocks: int, detail: tuple[int, int], norm: NormKind) -> None:
        super().__init__()
        self.network = SubpixelNet(seen + code, 3, width, blocks, detail, norm, upsample="resize")

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map N `seen` H W, as TablesGenerator sees them, and codes N `code` to pictures N 3 H W."""
        planes = w[:, :, None, None].expand(-1, -1, *x.shape[-2:])
        return self.network(lay_out(torch.cat([x, planes.to(x.dtype)], 1)))


class WordEncoder(nn.Module):
    """Words, one-hot, to the style code that pictures of them have: how a model is told a style without a picture."""

    def __init__(self, words: int, code: int, fixed: bool) -> None:
        super().__init__()
        self.fixed = fixed
        self.layers = nn.Sequential(nn.Linear(words, 64), nn.LeakyReLU(0.2), nn.Linear(64, code))

    def forward(self, words: Tensor) -> Tensor:
        """Map N `words` to codes N `code`, of the one length where they are `fixed`."""
        code = self.layers(words)
        return fix_length(code) if self.fixed else code
