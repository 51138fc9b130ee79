"""The networks of CycleGAN: the painter, the generators' arguments, and the discriminator of styles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import OptionError, SizeRule
from artkit.nn import (
    LAYERS,
    Arguments,
    Blocks,
    Channels,
    Filters,
    GeneratorArguments,
    Layer,
    MultiscaleDiscriminator,
    NetworkArguments,
    NormKind,
    SubpixelArguments,
    SubpixelNet,
    condition_planes,
    discriminator_arguments,
    exchange_channels,
    generator_arguments,
    in_tiles,
    stroke_noise,
)
from artkit.nn.layout import lay_out
from artkit.spec import Direction
from artkit_cyclegan import AB, BA, GENERATORS, CycleGANTraining

STROKES = (*LAYERS, Layer(cell=4, length=12, width=4.2, density=0.9))
"""Large strokes first; the last are for what is small."""
NOISE_CHANNELS, CENTRE_CHANNELS = 3 * len(STROKES) + 2, 2 * len(STROKES)
TOP_LAYER = slice(3 * len(STROKES) - 3, 3 * len(STROKES))  # of z: the strokes on top
MOST_ADDED = 1.2  # of a picture's range of 2: a painter's palette is his own; relief, flecks, and the smallest things
BLUR = 5  # px: a brush takes the mean colour of so wide a spot
REACH = math.ceil(max(layer.reach for layer in STROKES)) + BLUR // 2
"""How far away from a pixel the colour that is painted there may come from."""


def lay_strokes(height: int, width: int, seed: int, scale: int = 1, along: Tensor | None = None) -> Tensor:
    """Return the z that a Painter paints with, (NOISE_CHANNELS + CENTRE_CHANNELS, H, W); see `stroke_noise`.

    In training strokes follow a swirl, whatever the picture, so that a network learns from every direction; a picture
    is painted `along` its contours.
    """
    device = None if along is None else along.device
    return stroke_noise(height, width, seed, STROKES, centres=True, scale=scale, along=along, device=device)


def with_noise(picture: Tensor, z: Tensor | None) -> Tensor:
    """Put z, where there is any, behind the picture's channels."""
    return picture if z is None else torch.cat([picture, z.to(picture)], 1)


def guide_of(picture: Tensor, z: Tensor | None) -> Tensor:
    """Return what guides the enlarging of a painting, N G H W: the photo, and the strokes on top."""
    return with_noise(picture, None if z is None else z[:, TOP_LAYER])


class Painter(nn.Module):
    """Lay strokes in the colours under their centres, then decide at each pixel which layer shows and what is added.

    The network sees the picture, the canvas that each layer of strokes alone would make of it, and the strokes z. It
    answers with a weight for each canvas (softmax) and with a colour to add, at most `MOST_ADDED`. Painting programs
    place strokes so (Haeberli, "Paint by numbers", 1990); a convolution would have to learn that a stroke is of one
    colour from end to end. Takes and gives a picture in [-1, 1], z behind it on the way in; sides are multiples of 4.
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
        colours = F.avg_pool2d(_planes(picture), BLUR, 1, BLUR // 2, count_include_pad=False).to(x.dtype)
        canvases = torch.cat([take(colours, offset) for offset in centres.split(2, 1)], 1)
        return lay_out(torch.cat([picture, lay_out(canvases), noise], 1))

    def _paint(self, answer: Tensor, seen: Tensor) -> Tensor:
        """Return the canvases in the shares that the network answers, and what it adds to them."""
        shares, added = _planes(answer).split([len(STROKES), self.channels], 1)
        canvases = _planes(seen[:, self.channels :][:, : len(STROKES) * self.channels]).split(self.channels, 1)
        painted = MOST_ADDED * added.tanh()
        for share, canvas in zip(shares.softmax(1).split(1, 1), canvases, strict=True):
            painted = torch.addcmul(painted, share, canvas)
        return painted


def _planes(x: Tensor) -> Tensor:
    """Return N C H W as float32 planes, one behind the other: what is done to a pixel is then several times as fast."""
    return x.contiguous().float()


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


class PainterArguments(NetworkArguments, frozen=True, kw_only=True, tag="painter"):
    """The arguments of a Painter, which gives as many channels as it takes."""

    in_channels: Channels
    out_channels: Channels
    width: Filters = 128
    blocks: Blocks = 7
    detail: tuple[Filters, Filters] = (32, 24)
    norm: NormKind = "instance"
    condition_channels: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
    upsample: Literal["shuffle", "resize"] = "resize"

    @property
    def weights(self) -> int:
        """Count the SubpixelNet in it."""
        return self.way_back().weights

    @property
    def size_rule(self) -> SizeRule:
        """The rule of the SubpixelNet in it."""
        return self.way_back().size_rule

    def build(self) -> Painter:
        """Make the network."""
        return Painter(**self.values())

    def way_back(self) -> SubpixelArguments:
        """Return the arguments of the network that makes photos of paintings again; it lays no strokes."""
        return SubpixelArguments(**{**self.values(), "condition_channels": 0}, residual=True)


STYLE = "style"
"""The condition that tells the columns of domain B apart where there are several."""
PAINTER, SUBPIXEL = "painter", "subpixel"
OURS = {PAINTER, SUBPIXEL}
"""Networks that are not the papers': fast, steered by conditions, adding to the picture."""


class CycleGANArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a cyclegan model records: the generator from A to B, and the directions that the model goes.

    The way back has the channels exchanged and takes no condition; from painting to photo no strokes are laid.
    """

    generator: GeneratorArguments | PainterArguments
    directions: Annotated[tuple[Direction, ...], msgspec.Meta(min_length=1, max_length=2)] = (AB, BA)

    def towards(self, direction: Direction) -> NetworkArguments:
        """Return the arguments of the generator of one direction."""
        forth = self.generator
        if direction == AB:
            return forth
        if isinstance(forth, PainterArguments):
            return forth.way_back()
        back = exchange_channels(forth)
        return msgspec.structs.replace(back, condition_channels=0) if isinstance(back, SubpixelArguments) else back

    def build(self, directions: Iterable[Direction] | None = None) -> dict[str, nn.Module]:
        """Make the generators of `directions`, all of the model's when left out, by their names in the file."""
        ways = self.directions if directions is None else directions
        return {GENERATORS[way]: self.towards(way).build() for way in ways}


def arguments_for(options: CycleGANTraining, styles: int) -> CycleGANArguments:
    """Return the arguments of the generators that the training options describe, for so many styles of B.

    Raises OptionError for what a network cannot do.
    """
    a, b = options.channels
    if options.network == PAINTER and a != b:
        raise OptionError("training cyclegan(channels=...): network=painter needs as many channels in A as in B.")
    ours = SUBPIXEL if options.network in OURS else options.network
    arguments = generator_arguments(ours, options, a, b, styles)
    if isinstance(arguments, SubpixelArguments):
        arguments = msgspec.structs.replace(arguments, residual=a == b)
    if options.network == PAINTER:
        values = {name: value for name, value in arguments.values().items() if name != "residual"}
        return CycleGANArguments(generator=PainterArguments(**values))
    return CycleGANArguments(generator=arguments)


STRIPPED, GAIN = 9, 6.0  # px; what the hand leaves is faint beside the colours of things


class StyleDiscriminator(MultiscaleDiscriminator):
    """Discriminate pictures of `channels` channels; with `styles`, each among those of the style shown with it.

    Styles have a map of logits each, of which the picture's own counts (Choi et al. 2020, StarGAN v2): a discriminator
    that merely sees the style as further channels takes long to heed it. With `discriminator_input=detail` it sees
    what a blur of the picture leaves.
    """

    def __init__(self, options: CycleGANTraining, channels: int, styles: int) -> None:
        super().__init__(channels, **discriminator_arguments(options, max(styles, 1), options.antialias))
        self.channels, self.detail = channels, options.discriminator_input == "detail"

    def forward(self, shown: Tensor) -> list[Tensor]:
        """Map what `show` returned to each scale's patch logits, N 1 h w."""
        picture, style = shown[:, : self.channels], shown[:, self.channels :, :1, :1]
        logits = super().forward(detail(picture) if self.detail else picture)
        return [(scale * style).sum(1, keepdim=True) for scale in logits] if style.shape[1] else logits


def show(picture: Tensor, style: Tensor | None) -> Tensor:
    """Put the style, one-hot N S, behind a picture as planes, so that a pool keeps both together."""
    return picture if style is None else torch.cat([picture, condition_planes(style, picture)], 1)


def detail(picture: Tensor) -> Tensor:
    """Return what a blur of `STRIPPED` px leaves of a picture, N C H W, `GAIN` times as strong."""
    return GAIN * (picture - F.avg_pool2d(picture, STRIPPED, 1, STRIPPED // 2, count_include_pad=False))
