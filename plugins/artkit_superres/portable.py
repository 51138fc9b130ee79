"""A network of superres as a graph for other programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import Edsr

KEYS = -0.5  # the slope of Keys' cubic at 1
FAR = 2  # pixels: how far away a cubic sees


class PortableEdsr(nn.Module):
    """An Edsr whose bicubic enlargement is a convolution: graphs know no other that takes pictures as Pillow does.

    Each of the scale x scale pixels that a pixel becomes has weights of its own; beyond the border there is nothing,
    and the weights that are left are brought to a sum of 1.
    """

    weights: Tensor

    def __init__(self, network: Edsr) -> None:
        super().__init__()
        self.network, self.scale = network, network.scale
        steps = torch.arange(-FAR, FAR + 1, dtype=torch.float64)
        places = (torch.arange(self.scale, dtype=torch.float64) + 0.5) / self.scale - 0.5
        taps = _cubic((steps - places[:, None]).abs())
        weights = (taps[:, None, :, None] * taps[None, :, None, :]).flatten(0, 1)
        self.register_buffer("weights", weights[:, None].float())

    def forward(self, image: Tensor) -> Tensor:
        """Map N3HW in [0, 1] to N 3 scale*H scale*W."""
        network = self.network
        y = network.enter(image)
        y = network.leave(y + network.after(network.blocks(y)))
        return F.pixel_shuffle(y, self.scale) + self._enlarge(image)

    def _enlarge(self, image: Tensor) -> Tensor:
        planes = [image[:, channel : channel + 1] for channel in range(3)]
        sums = [F.conv2d(plane, self.weights, padding=FAR) for plane in planes]
        total = F.conv2d(torch.ones_like(planes[0]), self.weights, padding=FAR)
        return torch.cat([F.pixel_shuffle(one / total, self.scale) for one in sums], 1)


def _cubic(distance: Tensor) -> Tensor:
    """Return the weight of a pixel so far away (Keys 1981)."""
    near = (KEYS + 2) * distance**3 - (KEYS + 3) * distance**2 + 1
    far = KEYS * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return torch.where(distance <= 1, near, torch.where(distance < FAR, far, torch.zeros_like(distance)))
