"""The networks of CycleGAN: generators by name, the painter, and the discriminators."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import (
    LAYERS,
    Layer,
    MultiscaleDiscriminator,
    NormKind,
    SubpixelNet,
    generator_minimum,
    generator_multiple,
    in_tiles,
    make_generator,
    stroke_noise,
)

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
        return torch.cat([picture, *canvases, noise], 1).contiguous(memory_format=torch.channels_last)

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


AB, BA = "AtoB", "BtoA"
GENERATORS = {AB: "generator_a", BA: "generator_b"}
"""The generator of each direction, in model files and in training."""
MANNER = "manner"
"""The condition that tells the domains B apart where there are several."""
PAINTER, SUBPIXEL = "painter", "subpixel"
OURS = {PAINTER, SUBPIXEL}
"""Networks that are not the papers': fast, steered by conditions, adding to the picture."""
MULTIPLE, MARGIN = 4, 16  # px, of our networks: their zero padding shows as a rim about so wide


def make_generators(
    architecture: str, arguments: Mapping[str, Any], directions: Iterable[str] = (AB, BA)
) -> dict[str, nn.Module]:
    """Build a model's generators of `directions` from its header's arguments, by their names in the file.

    `generator` holds the constructor's arguments from A to B. The way back has the channels exchanged and is told no
    manner; from painting to photo no strokes are laid.
    """
    forth = dict(arguments["generator"])
    back = forth | {"in_channels": forth["out_channels"], "out_channels": forth["in_channels"]}
    back.pop("condition_channels", None)
    known = {AB: forth, BA: back}
    return {GENERATORS[way]: _make(architecture, known[way], way) for way in directions}


def _make(architecture: str, arguments: Mapping[str, Any], direction: str) -> nn.Module:
    if architecture == PAINTER and direction == AB:
        return Painter(**arguments)
    if architecture in OURS:
        return SubpixelNet(**arguments, residual=arguments["in_channels"] == arguments["out_channels"])
    return make_generator(architecture, arguments)


def size_multiple(architecture: str) -> int:
    """Return what the sides must be multiples of."""
    return MULTIPLE if architecture in OURS else generator_multiple(architecture)


def size_minimum(architecture: str) -> int:
    """Return the least side of a picture, in pixels."""
    return MULTIPLE if architecture in OURS else generator_minimum(architecture)


def size_margin(architecture: str) -> int:
    """Return how much mirrored picture goes around one, in pixels."""
    return MARGIN if architecture in OURS else 0


STRIPPED, GAIN = 9, 6.0  # px; what the hand leaves is faint beside the colours of things


class Judge(MultiscaleDiscriminator):
    """Judge pictures of `channels` channels; with `manners`, whether a picture is of the manner shown with it.

    Manners have a map of logits each, of which the picture's own counts (as the styles' of StarGAN v2, Choi et al.
    2020): a judge that merely sees the manner as further channels takes long to heed it. With `detail` it sees what a
    blur of the picture leaves.
    """

    def __init__(
        self,
        channels: int,
        manners: int,
        widths: tuple[int, ...],
        layers: int,
        norm: NormKind,
        detail: bool,
        antialias: bool = False,
    ) -> None:
        super().__init__(channels, widths, layers, norm, answers=max(manners, 1), antialias=antialias)
        self.channels, self.detail = channels, detail

    def forward(self, shown: Tensor) -> list[Tensor]:
        """Map what `show` returned to each scale's patch logits, N 1 h w."""
        picture, told = shown[:, : self.channels], shown[:, self.channels :, :1, :1]
        verdicts = super().forward(detail(picture) if self.detail else picture)
        return [(verdict * told).sum(1, keepdim=True) for verdict in verdicts] if told.shape[1] else verdicts


def show(picture: Tensor, told: Tensor | None) -> Tensor:
    """Put the manner, one-hot N M, behind a picture as planes, so that a pool keeps both together."""
    if told is None:
        return picture
    return torch.cat([picture, told[:, :, None, None].expand(-1, -1, *picture.shape[-2:])], 1)


def detail(picture: Tensor) -> Tensor:
    """Return what a blur of `STRIPPED` px leaves of a picture, N C H W, `GAIN` times as strong."""
    return GAIN * (picture - F.avg_pool2d(picture, STRIPPED, 1, STRIPPED // 2, count_include_pad=False))
