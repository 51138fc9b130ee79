"""Both artists as one graph for other programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from artkit_touchup.artists import Artist, touch_up


class PortableArtists(nn.Module):
    """Both artists at work on a picture, which finds its places by itself; see `touch_up`."""

    def __init__(
        self, additive: Artist, subtractive: Artist, margin: int, *, add: float, subtract: float, smooth: float
    ) -> None:
        super().__init__()
        self.additive, self.subtractive, self.margin = additive, subtractive, margin
        self.add, self.subtract, self.smooth = add, subtract, smooth

    def forward(self, image: Tensor) -> Tensor:
        """Correct N3HW in [0, 1]."""
        rows, columns = image.shape[-2:]
        down, right = (
            (torch.arange(side, device=image.device) - self.margin + 0.5) / (side - 2 * self.margin) * 2 - 1
            for side in (rows, columns)
        )
        shape = (image.shape[0], 1, rows, columns)
        places = torch.cat([down[:, None].expand(shape), right.expand(shape)], 1)
        added, taken = self.additive(image, places), self.subtractive(image, places)
        return touch_up(image, added, taken, self.add, self.subtract, self.smooth)
