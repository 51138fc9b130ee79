"""The networks that learn to dream: the dreamer, the judge, and the guide."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn.layout import lay_out

STAGES = 3


class Dreamer(nn.Module):
    """Latent vector to a class distribution at every pixel, after the paper's drawing of its generator.

    A dense layer, three transposed convolutions that double the side, one that maps to K channels, and a last
    convolution to K logits; softmax is left to the caller. The paper has `resolution=128`, `width=64`. Batch
    normalisation and ReLU follow the doubling layers only: on the K channels, where the drawing has them too, they
    would cut off negative logits. Out of training it normalises by running averages: a dream has no picture of its
    own to take statistics from.
    """

    def __init__(self, classes: int, latent: int, width: int, resolution: int) -> None:
        super().__init__()
        self.latent, self.side = latent, resolution // 2**STAGES
        self.dense = nn.Linear(latent, 2 * width * self.side**2)
        channels, layers = 2 * width, []
        for stage in reversed(range(STAGES)):
            out = width * 2**stage
            layers += [nn.ConvTranspose2d(channels, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        self.up = nn.Sequential(*layers)
        self.to_classes = nn.ConvTranspose2d(channels, classes, 3, 1, 1)
        self.refine = nn.Conv2d(classes, classes, 3, 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise N `latent` to logits N K `resolution` `resolution`."""
        x = F.relu(self.dense(z)).unflatten(1, (-1, self.side, self.side))
        return self.refine(self.to_classes(self.up(lay_out(x))))


class Judge(nn.Module):
    """Real map or dream? Strided convolutions down to 4 x 4, where it also sees how varied the batch is."""

    def __init__(self, classes: int, width: int, resolution: int) -> None:
        super().__init__()
        channels, layers = descend(classes, width, resolution, norm=False)
        self.down = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.Conv2d(channels + 1, channels, 3, 1, 1), nn.LeakyReLU(0.2))
        self.verdict = nn.Linear(16 * channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map distributions N K H W to logits N 1."""
        x = self.down(maps)
        spread = batch_spread(x).expand(len(x), 1, *x.shape[2:])
        return self.verdict(self.last(torch.cat([x, spread], 1)).flatten(1))


class Guide(nn.Module):
    """Real map to the z it may have come from, as a normal distribution: it gives the dreamer scenes to aim at."""

    def __init__(self, classes: int, width: int, resolution: int, latent: int) -> None:
        super().__init__()
        channels, layers = descend(classes, width, resolution, norm=True)
        self.down = nn.Sequential(*layers)
        self.leave = nn.Linear(16 * channels, 2 * latent)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Map distributions N K H W to means and logarithms of variances, N `latent` each."""
        mean, variance = self.leave(self.down(maps).flatten(1)).chunk(2, 1)
        return mean, variance.clamp(-8, 4)


def descend(classes: int, width: int, resolution: int, norm: bool) -> tuple[int, list[nn.Module]]:
    """Return strided convolutions from `resolution` to a side of 4, and how many channels they end in."""
    channels, side, layers = classes, resolution, list[nn.Module]()
    while side > 4:
        out = min(width * resolution // side, 8 * width)
        layers += [nn.Conv2d(channels, out, 4, 2, 1), *([nn.BatchNorm2d(out)] if norm else []), nn.LeakyReLU(0.2)]
        channels, side = out, side // 2
    return channels, layers


def batch_spread(x: Tensor) -> Tensor:
    """Return the mean standard deviation of N C H W over the batch, 1 1 1 1 (Karras et al. 2018, section 3)."""
    return (x.var(0, correction=0) + 1e-8).sqrt().mean().reshape(1, 1, 1, 1)
