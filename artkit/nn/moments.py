"""Codes of pictures by their moments: what a picture looks like, whatever it shows, as a short row of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.images import resize_image

STYLE_SIDE, LEAST_STYLE = 384, 32
"""Pictures of style are looked at with their longest side at most, and their shortest at least, so many pixels."""


class MomentsEncoder(nn.Module):
    """Style encoder: means and deviations of a picture, at every depth of a small network, become its code.

    No layer sees where anything lies, so the layout of the style picture cannot leak. Codes have the length
    `sqrt(code)`, whatever the picture: a discriminator that is shown them could gain from their size alone. `project`,
    a fixed linear map of standardised moments, is worked out before training (`fit_codes`); `refine` adds to it.
    """

    centre: Tensor
    scale: Tensor
    project: Tensor

    def __init__(self, width: int, code: int) -> None:
        super().__init__()
        channels = (3, width, 2 * width, 3 * width)
        self.stages = nn.ModuleList(nn.Conv2d(*pair, 4, stride=2, padding=1) for pair in pairwise(channels))
        moments = 2 * sum(channels)
        self.register_buffer("centre", torch.zeros(moments))
        self.register_buffer("scale", torch.ones(moments))
        self.register_buffer("project", torch.randn(code, moments) / moments**0.5)
        last = nn.Linear(128, code)
        nn.init.zeros_(last.weight)
        self.refine = nn.Sequential(nn.Linear(moments, 128), nn.LeakyReLU(0.2), last)

    def moments(self, picture: Tensor) -> Tensor:
        """Return the means and deviations, N M float32, of N3HW in [-1, 1] and of what each stage makes of it."""
        found, x = spread_of(picture), picture
        for stage in self.stages:
            x = F.leaky_relu(stage(x), 0.2)
            found = found + spread_of(x)
        return torch.cat(found, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Map N3HW in [-1, 1], sides 16 px at least, to codes N `code`."""
        with torch.autocast(picture.device.type, enabled=False):
            kind = self.project.dtype
            values = ((self.moments(picture.to(kind)) - self.centre) / self.scale).to(kind)
            return fix_length((F.linear(values, self.project) + self.refine(values)).float())


def spread_of(x: Tensor) -> list[Tensor]:
    """Return the mean and the standard deviation of each channel of N C H W, N C each, float32."""
    x = x.float()
    return [x.mean((2, 3)), x.var((2, 3), unbiased=False).add(1e-5).sqrt()]


def fix_length(code: Tensor) -> Tensor:
    """Return codes N C at the length that they all have, so that components are about 1."""
    return F.normalize(code, dim=1) * code.shape[1] ** 0.5


@torch.no_grad()
def fit_codes(encoder: MomentsEncoder, pictures: Sequence[Tensor]) -> Tensor:
    """Make the code of a picture the principal components of its moments, standardised; return the pictures' codes.

    `pictures`: N3HW in [-1, 1] each. Random filters already tell light and style apart by their moments.
    """
    moments = torch.cat([encoder.moments(picture) for picture in pictures])
    encoder.centre.copy_(moments.mean(0))
    encoder.scale.copy_(moments.std(0).clamp_min(1e-3))
    values = (moments - encoder.centre) / encoder.scale
    count = len(encoder.project)
    components = torch.linalg.svd(values, full_matrices=False).Vh[:count]
    components *= count**0.5 / (values @ components.T).square().sum(1).mean().sqrt()  # codes are about as long already
    encoder.project.zero_()
    encoder.project[: len(components)] = components
    return torch.cat([encoder(picture) for picture in pictures])


def fit_style(picture: Tensor) -> Tensor:
    """Return a picture of style N3HW at a size that the encoder knows, in [-1, 1]: strokes as wide as it learned."""
    height, width = picture.shape[-2:]
    scale = min(1.0, STYLE_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    if scale < 1:
        picture = resize_image(picture.float(), size).clamp(0, 1)
    if min(size) < LEAST_STYLE:
        picture = F.interpolate(picture.float(), tuple(max(side, LEAST_STYLE) for side in size), mode="nearest")
    return picture * 2 - 1
