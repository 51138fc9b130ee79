"""What only training needs: the encoder of layouts, and the discriminator that reads sentences."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit_stackgan.layouts import layout_logits
from artkit_stackgan.networks import START, widths

FAINT = -2.0
"""Logarithm of the variance of codes at first."""
PATCH_LEVEL = 2
"""The level whose activations are judged alone: each sees 40 pixels."""


class LayoutEncoder(nn.Module):
    """A layout, shares N K S S, to the mean and the log variance of its code, N `latent` each.

    The mean is what components of layouts say, and what convolutions add: nothing at first.
    """

    def __init__(self, latent: int, classes: int, side: int, width: int) -> None:
        super().__init__()
        inner = side // 2
        filters = widths(inner, width)[::-1]
        self.base = nn.Linear(classes * inner**2, latent)
        self.enter = nn.Conv2d(4 * classes, filters[0], 3, padding=1)
        self.downs = nn.ModuleList(nn.Conv2d(few, many, 4, 2, 1) for few, many in pairwise(filters))
        self.leave = nn.Linear(filters[-1] * START**2, 2 * latent)
        nn.init.zeros_(self.leave.weight)
        with torch.no_grad():
            self.leave.bias.copy_(torch.tensor([0.0, FAINT]).repeat_interleave(latent))

    def forward(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance."""
        y = F.leaky_relu(self.enter(F.pixel_unshuffle(shares, 2)), 0.2)
        for down in self.downs:
            y = F.leaky_relu(down(y), 0.2)
        added, log_variance = self.leave(y.flatten(1)).chunk(2, 1)
        return self.base(layout_logits(F.avg_pool2d(shares, 2)).flatten(1)) + added, log_variance


class MatchingDiscriminator(nn.Module):
    """Tells whether a picture is real, and whether a sentence is right for it (section 3.3, matching-aware).

    The sentence comes in as a projection (Miyato and Koyama 2018) in place of the paper's replicated map. As in the
    authors' program for stage II, there are logits of the picture alone besides, here a map of them. It also sees how
    much pictures of a batch differ (Karras et al. 2018), and reads the words; `visible` are those
    that a sentence may be wrong by.
    """

    visible: Tensor

    def __init__(self, channels: int, side: int, width: int, words: int) -> None:
        super().__init__()
        levels = (side // 2 // START).bit_length()
        filters = [width * min(4, 2**level) for level in range(levels)]
        self.enter = spectral_norm(nn.Conv2d(4 * channels, filters[0], 3, padding=1))
        self.downs = nn.ModuleList(spectral_norm(nn.Conv2d(few, many, 4, 2, 1)) for few, many in pairwise(filters))
        self.alone = spectral_norm(nn.Conv2d(filters[min(PATCH_LEVEL, levels - 1)], 1, 3, padding=1))
        self.last = spectral_norm(nn.Linear((filters[-1] + 1) * START**2, filters[-1]))
        self.right = spectral_norm(nn.Linear(filters[-1], 1))
        self.project = spectral_norm(nn.Linear(words, filters[-1], bias=False))
        self.read = nn.Linear(filters[-1], words)
        self.register_buffer("visible", torch.ones(words))

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the activations of N C S S of each level, and N F of the whole."""
        found = [F.leaky_relu(self.enter(F.pixel_unshuffle(x, 2)), 0.2)]
        for down in self.downs:
            found.append(F.leaky_relu(down(found[-1]), 0.2))
        spread = found[-1].var(0, unbiased=False).add(1e-6).sqrt().mean()
        y = torch.cat([found[-1], spread.expand(len(x), 1, START, START)], 1)
        return [*found, F.leaky_relu(self.last(y.flatten(1)), 0.2)]

    def judge(self, features: list[Tensor], said: Tensor) -> list[Tensor]:
        """Return logits of pictures with what is said of them, N 1, and of pictures alone, N 1 h w."""
        whole, patches = features[-1], features[min(PATCH_LEVEL, len(features) - 2)]
        return [self.right(whole) + (whole * self.project(said)).sum(1, keepdim=True), self.alone(patches)]
