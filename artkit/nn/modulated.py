"""Layers that a code steers, without statistics of a batch."""

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


SWIFT = 10
"""How many times as fast as the rest a gate learns: its weights, drawn as 0, are multiplied by it."""


class NoiseGate(nn.Linear):
    """Let each channel of a noise through as strongly as a code says: strokes belong to some styles, not to others.

    `sigmoid(10 (A w + b))` times the noise, open to 0.73 at the start, whatever the code. Without the factor the
    rest of a network learns to rub strokes out long before a gate has opened or shut.
    """

    def __init__(self, code: int, noise: int) -> None:
        super().__init__(code, noise)
        nn.init.zeros_(self.weight)
        nn.init.constant_(self.bias, 1 / SWIFT)

    def forward(self, noise: Tensor, w: Tensor) -> Tensor:  # type: ignore[override]
        """Map noise N `noise` H W and codes N `code` to N `noise` H W."""
        return torch.sigmoid(SWIFT * super().forward(w)).to(noise.dtype)[:, :, None, None] * noise


def double(x: Tensor) -> Tensor:
    """Enlarge N C H W twice, bilinearly."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
