"""A convolution that a code steers, without statistics of a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Modulated(nn.Module):
    """A 3x3 convolution, normalised over channels at each pixel, scaled and shifted as a code says; leaky ReLU.

    After adaptive instance normalisation (Karras et al. 2019, section 2), but for what it normalises over: the same
    code makes the same picture in any company and at any place.
    """

    def __init__(self, channels: int, out: int, latent: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, padding=1)
        self.style = nn.Linear(latent, 2 * out)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Map N C H W and codes N `latent` to N `out` H W."""
        x = self.conv(x)
        scale, shift = self.style(z)[:, :, None, None].chunk(2, 1)
        normal = x * (x.square().mean(1, keepdim=True) + 1e-4).rsqrt()
        return F.leaky_relu(torch.addcmul(shift, normal, 1 + scale), 0.2)
