"""igan's networks: principal components, which are the best that linear ones can do, and what convolutions add."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn import Arguments, Filters, Modulated, NetworkArguments
from artkit_igan import Side

START = 4
"""Side of the smallest feature map, in pixels."""
WIDEST = 8
"""How many times as many filters as at the full size there are at most."""
FAINT = -4.0
"""Logarithm of the variance of codes at first."""
VARIANCES = (-10.0, 2.0)
"""The least and the most that it may be: beyond, its exponential would end a run."""


class NetworksArguments(NetworkArguments, frozen=True, kw_only=True, tag="components"):
    """The arguments of a Generator and its Encoder."""

    latent: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    side: Side = 64
    width: Filters = 24

    @property
    def weights(self) -> int:
        """Count the components, and the smallest feature maps' convolutions."""
        return 6 * self.latent * self.side**2 + 18 * (WIDEST * self.width) ** 2

    def build(self) -> Generator:
        """Make the generator."""
        return Generator(**self.values())

    def build_encoder(self) -> Encoder:
        """Make the encoder."""
        return Encoder(**self.values())


class IganArguments(Arguments, frozen=True, kw_only=True):
    """What the header of an igan model records."""

    networks: NetworksArguments


def widths(side: int, width: int) -> list[int]:
    """Return the filters at 4, 8, ... `side` pixels: twice as many at half the side, `WIDEST` times at most."""
    return [width * min(WIDEST, side // here) for here in levels(side)]


def levels(side: int) -> list[int]:
    """Return 4, 8, ... `side`."""
    return [START << level for level in range((side // START).bit_length())]


class Generator(nn.Module):
    """z, N `latent`, to a picture N 3 S S in [-1, 1], a little beyond: components, and what convolutions add to them.

    `base` is what principal components make of z: it is worked out before training (fitting.py), so a projection is
    never worse than the best linear one of as many numbers. Convolutions add nothing at first.
    """

    def __init__(self, latent: int, side: int, width: int) -> None:
        super().__init__()
        self.latent, self.side = latent, side
        self.base = nn.Linear(latent, 3 * side**2)
        filters = widths(side, width)
        self.enter = nn.Linear(latent, filters[0] * START**2)
        self.first = Modulated(filters[0], filters[0], latent)
        self.levels = nn.ModuleList(
            nn.ModuleList([Modulated(few, many, latent), Modulated(many, many, latent)])
            for few, many in pairwise(filters)
        )
        self.leave = nn.Conv2d(filters[-1], 3, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        """Make pictures of codes."""
        x = self.first(self.enter(z).unflatten(1, (-1, START, START)), z)
        for level in self.levels:
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear")
            for layer in level:  # type: ignore[attr-defined]
                x = layer(x, z)
        return self.base(z).view(-1, 3, self.side, self.side) + self.leave(x)


class Encoder(nn.Module):
    """A picture N 3 S S to the mean and the log variance of its code, N `latent` each.

    The mean is what principal components say, and what convolutions add: nothing at first. What they add is a sum over
    thousands of activations, scaled so that a step of Adam moves it little (Karras et al. 2018, section 4.1).
    """

    def __init__(self, latent: int, side: int, width: int) -> None:
        super().__init__()
        filters = widths(side, width)[::-1]
        self.base = nn.Linear(3 * side**2, latent)
        self.enter = nn.Conv2d(3, filters[0], 3, padding=1)
        self.downs = nn.ModuleList(nn.Conv2d(few, many, 4, 2, 1) for few, many in pairwise(filters))
        self.leave = nn.Linear(filters[-1] * START**2, 2 * latent)
        self.scale = self.leave.in_features**-0.5
        nn.init.zeros_(self.leave.weight)
        with torch.no_grad():
            self.leave.bias.copy_(torch.tensor([0.0, FAINT]).repeat_interleave(latent))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance."""
        y = F.leaky_relu(self.enter(x), 0.2)
        for down in self.downs:
            y = F.leaky_relu(down(y), 0.2)
        added, log_variance = self.leave(y.flatten(1) * self.scale).chunk(2, 1)
        return self.base(x.flatten(1)) + added, log_variance.clamp(*VARIANCES)


class Discriminator(nn.Module):
    """Tells three kinds of pictures apart: real, reconstructed, dreamt (Brock et al., section 3.1: ternary).

    Spectral normalisation (Miyato et al. 2018) takes the place of their orthogonal regularisation. It also sees how
    much pictures of a batch differ, as in Karras et al. 2018, in place of their minibatch discrimination.
    """

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        filters = [width * min(WIDEST, 2**level) for level in range(len(levels(side)))]
        self.enter = spectral_norm(nn.Conv2d(3, filters[0], 3, padding=1))
        self.downs = nn.ModuleList(spectral_norm(nn.Conv2d(few, many, 4, 2, 1)) for few, many in pairwise(filters))
        self.last = spectral_norm(nn.Conv2d(filters[-1] + 1, filters[-1], 3, padding=1))
        self.leave = spectral_norm(nn.Linear(filters[-1] * START**2, 3))

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the activations of each level, and the three logits, N 3."""
        found = [F.leaky_relu(self.enter(x), 0.2)]
        for down in self.downs:
            found.append(F.leaky_relu(down(found[-1]), 0.2))
        spread = found[-1].var(0, unbiased=False).add(1e-6).sqrt().mean()
        y = torch.cat([found[-1], spread.expand(len(x), 1, START, START)], 1)
        return [*found, self.leave(F.leaky_relu(self.last(y), 0.2).flatten(1))]
