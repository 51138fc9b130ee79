"""A generator that paints in strokes: what they are laid with is the picture's, what becomes of them is learned."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import LAYERS, Layer, SubpixelNet, in_tiles, stroke_noise
from artkit.nn.layout import lay_out

STROKES = (*LAYERS, Layer(cell=4, length=12, width=4.2, density=0.9))
"""Large strokes first; the last are for what is small."""
NOISE_CHANNELS, CENTRE_CHANNELS = 3 * len(STROKES) + 2, 2 * len(STROKES)
MOST_ADDED = 0.4  # of a picture's range of 2: relief, flecks, and the smallest things
BLUR = 5  # px: a brush takes the mean colour of so wide a spot
REACH = math.ceil(max(layer.reach for layer in STROKES)) + BLUR // 2
"""How far away from a pixel the colour that is painted there may come from."""


def lay_strokes(height: int, width: int, seed: int, device: torch.device | None = None) -> Tensor:
    """Return the z that a Painter paints with, (NOISE_CHANNELS + CENTRE_CHANNELS, H, W); see `stroke_noise`."""
    return stroke_noise(height, width, seed, STROKES, centres=True, device=device)


class Painter(nn.Module):
    """Lay strokes in the colours under their centres, then decide at each pixel which layer shows and what is added.

    The network sees the picture, the canvas that each layer of strokes alone would make of it, and the strokes z. It
    answers with a weight for each canvas (softmax) and with a colour to add, at most `MOST_ADDED`: too little to go
    back to the photo. Painting programs place strokes so (Haeberli, "Paint by numbers", 1990); a convolution would have
    to learn that a stroke is of one colour from end to end. Takes and gives a picture in [-1, 1], z behind it on the
    way in; sides are multiples of 4.
    """

    def __init__(self, in_channels: int, out_channels: int, **subpixel: Any) -> None:
        super().__init__()
        assert in_channels == out_channels, "paint has the picture's channels"
        self.channels, layers = in_channels, len(STROKES)
        self.net = SubpixelNet((1 + layers) * in_channels + NOISE_CHANNELS, layers + out_channels, **subpixel)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map N (channels + z) H W, and N condition_channels, to N channels H W."""
        seen = in_tiles(self._look, x, halo=REACH, multiple=2)  # halves are rounded to even places, in tiles as well
        answer = self.net(seen, condition)
        return in_tiles(self._paint, answer, seen, halo=0)

    def _look(self, x: Tensor) -> Tensor:
        """Return what the network sees."""
        picture, noise, centres = x.split([self.channels, NOISE_CHANNELS, CENTRE_CHANNELS], 1)
        colours = F.avg_pool2d(picture, BLUR, 1, BLUR // 2, count_include_pad=False)
        canvases = [take(colours, offset) for offset in centres.split(2, 1)]
        return lay_out(torch.cat([picture, *canvases, noise], 1))

    def _paint(self, answer: Tensor, seen: Tensor) -> Tensor:
        """Return the canvases in the shares that the network answers, and what it adds to them."""
        shares, added = answer.split([len(STROKES), self.channels], 1)
        canvases = seen.split(self.channels, 1)[1 : 1 + len(STROKES)]
        painted = [share * canvas for share, canvas in zip(shares.softmax(1).split(1, 1), canvases, strict=True)]
        return torch.stack(painted).sum(0) + MOST_ADDED * added.tanh()


def take(colours: Tensor, offset: Tensor) -> Tensor:
    """Return at each pixel the colour, N C H W, that lies `offset` (N2HW, pixels down and right) away.

    Beyond a border it is the border's.
    """
    height, width = colours.shape[-2:]
    down = torch.arange(height, device=colours.device).view(-1, 1) + offset[:, 0].float()
    right = torch.arange(width, device=colours.device) + offset[:, 1].float()
    index = down.round().long().clamp(0, height - 1) * width + right.round().long().clamp(0, width - 1)
    flat = colours.flatten(2)
    return flat.gather(2, index.flatten(1)[:, None].expand(-1, flat.shape[1], -1)).view_as(colours)
