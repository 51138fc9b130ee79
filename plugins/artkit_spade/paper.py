"""The paper's networks: the SPADE generator (Park et al. 2019, section 3 and appendix A) and its style encoder."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn import InstanceNorm, NormKind, in_tiles
from artkit.nn.layout import lay_out

HIDDEN = 128
"""Filters between a map and what is made of it, in every SPADE layer."""
STEPS = 5
"""How often the generator doubles its sides."""


def plain_norm(kind: NormKind, channels: int) -> nn.Module:
    """Build the normalisation before a modulation: it has no scale and shift of its own.

    Batch norm goes by running averages out of training, as the authors' code does, and is not synchronised between
    processes.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels, affine=False)
    return InstanceNorm(channels) if kind == "instance" else nn.Identity()


class Spade(nn.Module):
    """SPADE: scale and shift what is normalised by convolutions of the map (eq. 1), gamma as 1 + what they give."""

    def __init__(self, channels: int, classes: int, norm: NormKind) -> None:
        super().__init__()
        self.norm = plain_norm(norm, channels)
        self.shared = nn.Conv2d(classes, HIDDEN, 3, padding=1)
        self.gamma, self.beta = (nn.Conv2d(HIDDEN, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Modulate N C H W by a one-hot map N K H W."""
        hidden = F.relu(self.shared(labels))
        return self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)


class SpadeBlock(nn.Module):
    """SPADE residual block (figure 4): two SPADE, ReLU, 3x3 convolutions; a learned skip where widths differ."""

    def __init__(self, channels: int, out: int, classes: int, norm: NormKind) -> None:
        super().__init__()
        middle = min(channels, out)
        self.norm1, self.norm2 = Spade(channels, classes, norm), Spade(middle, classes, norm)
        self.conv1 = spectral_norm(nn.Conv2d(channels, middle, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(middle, out, 3, padding=1))
        learned = channels != out
        self.skip_norm = Spade(channels, classes, norm) if learned else None
        self.skip = spectral_norm(nn.Conv2d(channels, out, 1, bias=False)) if learned else None

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Map N C H W, with a one-hot map, to N `out` H W."""
        return in_tiles(self._block, x, labels, halo=4)

    def _block(self, x: Tensor, labels: Tensor) -> Tensor:
        skip = self.skip(self.skip_norm(x, labels)) if self.skip and self.skip_norm else x
        y = self.conv1(F.leaky_relu(self.norm1(x, labels), 0.2))
        return skip + self.conv2(F.leaky_relu(self.norm2(y, labels), 0.2))


class PaperGenerator(nn.Module):
    """SPADE ResBlks of 16, 16, 16, 8, 4, 2, 1 times `width` filters with nearest-neighbour doubling between them.

    A dense layer turns the style code into 16 `width` maps of `side / 32` pixels, the size it was trained at; for
    other sizes they are interpolated. Sides must be multiples of 32. Output in [-1, 1].
    """

    def __init__(self, classes: int, width: int, code: int, side: int, norm: NormKind) -> None:
        super().__init__()
        self.side = side // 2**STEPS
        self.dense = nn.Linear(code, 16 * width * self.side**2)
        widths = [16 * width, 16 * width, 16 * width, 8 * width, 4 * width, 2 * width, width]
        pairs = zip([16 * width, *widths[:-1]], widths, strict=True)
        self.blocks = nn.ModuleList(SpadeBlock(*pair, classes, norm) for pair in pairs)
        self.leave = nn.Conv2d(width, 3, 3, padding=1)
        for name, parameter in self.named_parameters():  # as in the authors' code
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() > 1:
                nn.init.xavier_normal_(parameter, gain=0.02)

    def forward(self, labels: Tensor, w: Tensor) -> Tensor:
        """Map a one-hot map N K H W and codes N `code` to pictures N3HW."""
        height, width = (side // 2**STEPS for side in labels.shape[-2:])
        x = self.dense(w).unflatten(1, (-1, self.side, self.side))
        if (height, width) != (self.side, self.side):
            x = F.interpolate(x, (height, width), mode="bilinear", align_corners=False)
        x = lay_out(x)
        for index, block in enumerate(self.blocks):
            if index not in (0, 2):  # both middle blocks work at one resolution
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = block(x, F.interpolate(labels, x.shape[-2:], mode="nearest"))
        return in_tiles(partial(_leave, self.leave), x, halo=1)


def _leave(leave: nn.Module, x: Tensor) -> Tensor:
    return torch.tanh(leave(F.leaky_relu(x, 0.2)))


class PaperEncoder(nn.Module):
    """Style encoder (appendix A): strided 3x3 convolutions of a picture at `side` px to mean and log-variance of z."""

    def __init__(self, width: int, code: int, side: int) -> None:
        super().__init__()
        self.side, channels, stages = side, 3, []
        for index in range(side.bit_length() - 3):  # to 4 x 4
            out = width * min(2**index, 8)
            conv = spectral_norm(nn.Conv2d(channels, out, 3, stride=2, padding=1))
            stages.append(nn.Sequential(conv, InstanceNorm(out), nn.LeakyReLU(0.2)))
            channels = out
        self.stages = nn.Sequential(*stages)
        self.mean, self.log_variance = (nn.Linear(16 * channels, code) for _ in range(2))

    def spread(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Map N3HW in [-1, 1] to the mean and the logarithm of the variance of z, N `code` each."""
        size = (self.side, self.side)
        if picture.shape[-2:] != size:
            picture = F.interpolate(picture, size, mode="bilinear", antialias=True)
        x = self.stages(picture).flatten(1)
        return self.mean(x).float(), self.log_variance(x).float()

    def forward(self, picture: Tensor) -> Tensor:
        """Map N3HW in [-1, 1] to the mean of z, which stands for the picture's style."""
        return self.spread(picture)[0]
