"""SemGAN's generator, discriminator and encoder, the segmenter, and the arguments that a header records of them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from msgspec import Meta
from msgspec.structs import asdict
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import Arguments, DilatedBlock, Filters, in_tiles, whole_sum
from artkit.nn.layout import lay_out
from artkit.spec import ClassSet
from artkit_semgan.things import ThingsArguments

STAGES = 3


class Generator(nn.Module):
    """SemGAN's generator: latent vector to a class distribution at every pixel, after the paper's drawing.

    A dense layer, three transposed convolutions that double the side, one that maps to K channels, and a last
    convolution to K logits; softmax is left to the caller. The paper has `resolution=128`, `width=64`. Batch
    normalisation and ReLU follow the doubling layers only: on the K channels, where the drawing has them too, they
    would cut off negative logits. Out of training it normalises by running averages: what is made from noise has no
    picture of its own to take statistics from.
    """

    def __init__(self, classes: int, latent: int, width: int, resolution: int) -> None:
        super().__init__()
        self.latent, self.side = latent, resolution // 2**STAGES
        self.dense = nn.Linear(latent, 2 * width * self.side**2)
        channels, layers = 2 * width, []
        for stage in reversed(range(STAGES)):
            out = width * 2**stage
            layers += [nn.ConvTranspose2d(channels, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        self.up = nn.Sequential(*layers)
        self.to_classes = nn.ConvTranspose2d(channels, classes, 3, 1, 1)
        self.refine = nn.Conv2d(classes, classes, 3, 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise N `latent` to logits N K `resolution` `resolution`."""
        x = F.relu(self.dense(z)).unflatten(1, (-1, self.side, self.side))
        return self.refine(self.to_classes(self.up(lay_out(x))))


PLACES = 16
"""Side of the feature map each of whose places the discriminator may judge by itself."""


class Discriminator(nn.Module):
    """SemGAN's discriminator of real and fake maps: strided convolutions to 4 x 4, where it sees the batch's spread.

    With `places` it judges 16 x 16 places of the map as well, each by what lies around it (Isola et al. 2017, section
    3.2.2): the whole tells whether a scene is a likely one, places whether a house is shaped like one. Ours.
    """

    def __init__(self, classes: int, width: int, resolution: int, places: bool = False) -> None:
        super().__init__()
        channels, layers = descend(classes, width, resolution, norm=False)
        self.down = nn.Sequential(*layers)
        self.until_places = 2 * ((resolution // PLACES).bit_length() - 1)
        self.place = nn.Conv2d(_channels(width, resolution, PLACES), 1, 3, padding=1) if places else None
        self.last = nn.Sequential(nn.Conv2d(channels + 1, channels, 3, 1, 1), nn.LeakyReLU(0.2))
        self.leave = nn.Linear(16 * channels, 1)

    def forward(self, maps: Tensor) -> list[Tensor]:
        """Map distributions N K H W to logits: N 1 of the whole, and N 1 16 16 of places where it judges them."""
        features = self.down[: self.until_places](maps)
        x = self.down[self.until_places :](features)
        spread = batch_spread(x).expand(len(x), 1, *x.shape[2:])
        logits = [self.leave(self.last(torch.cat([x, spread], 1)).flatten(1))]
        return logits if self.place is None else [*logits, self.place(features)]


class Encoder(nn.Module):
    """Variational encoder: real map to the normal distribution of the z it may have come from (Larsen et al. 2016)."""

    def __init__(self, classes: int, width: int, resolution: int, latent: int) -> None:
        super().__init__()
        channels, layers = descend(classes, width, resolution, norm=True)
        self.down = nn.Sequential(*layers)
        self.leave = nn.Linear(16 * channels, 2 * latent)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Map distributions N K H W to means and logarithms of variances, N `latent` each."""
        mean, variance = self.leave(self.down(maps).flatten(1)).chunk(2, 1)
        return mean, variance.clamp(-8, 4)


def descend(classes: int, width: int, resolution: int, norm: bool) -> tuple[int, list[nn.Module]]:
    """Return strided convolutions from `resolution` to a side of 4, and how many channels they end in."""
    channels, side, layers = classes, resolution, list[nn.Module]()
    while side > 4:
        out = _channels(width, resolution, side // 2)
        layers += [nn.Conv2d(channels, out, 4, 2, 1), *([nn.BatchNorm2d(out)] if norm else []), nn.LeakyReLU(0.2)]
        channels, side = out, side // 2
    return channels, layers


def _channels(width: int, resolution: int, side: int) -> int:
    """Return how many channels maps of `resolution` have once they are brought down to `side`."""
    return width * min(resolution // (2 * side), 8)


def batch_spread(x: Tensor) -> Tensor:
    """Return the mean standard deviation of N C H W over the batch, 1 1 1 1 (Karras et al. 2018, section 3)."""
    return (x.var(0, correction=0) + 1e-8).sqrt().mean().reshape(1, 1, 1, 1)


NEARNESS = 20 / 255
"""Standard deviation, in [0, 1] units, of the colour noise under which the classes are first weighed."""
ERROR_SCALE = 8.0
"""Brings colour errors, an eighth at most, to the size of the other numbers."""


class Segmenter(nn.Module):
    """Segmenter: picture to a class distribution at every pixel.

    Its prior is how near each colour is to the class colours; dilated residual blocks at half the resolution correct
    it. They see the colours and the prior. To allow for a tint, they are conditioned on the picture as a whole: how
    much of it each class would get by colour alone, and by how much its colours would be off.
    """

    palette: Tensor

    def __init__(self, classes: ClassSet, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        count = len(classes)
        # Bytes, so that a model in half precision keeps the exact colours.
        self.register_buffer("palette", torch.tensor(classes.colours, dtype=torch.uint8), persistent=False)
        self.enter = nn.Conv2d(4 * (3 + count), width, 3, padding=1)
        self.blocks = nn.ModuleList(DilatedBlock(width, dilation, "none", 4 * count) for dilation in dilations)
        self.leave = nn.Conv2d(width, 4 * count, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Map N3HW in [0, 1], sides even, to logits N K H W; it may be finer than the weights' type."""
        image, dtype = image.float(), self.enter.weight.dtype
        with torch.autocast(image.device.type, enabled=False):
            distances = in_tiles(self.measure, image, halo=0)
            survey = self.survey(image, distances).to(dtype)
        y = in_tiles(self._enter, image, distances, halo=2, multiple=2)
        for block in self.blocks:
            y = block(y, survey)
        return in_tiles(self._leave, y, distances, halo=1)

    def measure(self, image: Tensor) -> Tensor:
        """Return how far each colour is from each class's, as normal noise would have it: N K H W, in nats."""
        palette = self.palette.float() / 255
        planes = [(image - colour[:, None, None]).square().sum(1) for colour in palette]
        return torch.stack(planes, 1) / (2 * NEARNESS**2)

    def survey(self, image: Tensor, distances: Tensor) -> Tensor:
        """Return each class's share of each picture and its mean colour error there: N 4K."""
        sums = whole_sum(_weigh, image, distances).to(image.device, image.dtype)
        total, colours = sums[..., :1], sums[..., 1:]
        errors = (colours - total * self.palette.float() / 255) / total.clamp_min(1.0)
        shares = total[..., 0] / (image.shape[-2] * image.shape[-1])
        return torch.cat([shares, ERROR_SCALE * errors.flatten(1)], 1)

    def _enter(self, image: Tensor, distances: Tensor) -> Tensor:
        x = (torch.cat([image, F.softmax(-distances, 1)], 1) * 2 - 1).to(self.enter.weight.dtype)
        return self.enter(lay_out(F.pixel_unshuffle(x, 2)))

    def _leave(self, y: Tensor, distances: Tensor) -> Tensor:
        return F.pixel_shuffle(self.leave(y), 2) - distances


def _weigh(image: Tensor, distances: Tensor) -> Tensor:
    """Return for each class how near the pixels are in total, and the colours' total by nearness: N K 4."""
    nearness = F.softmax(-distances, 1).flatten(2)
    return torch.cat([nearness.sum(2, keepdim=True), nearness @ image.flatten(2).transpose(1, 2)], 2)


class GeneratorArguments(Arguments, frozen=True, kw_only=True):
    """The arguments of a Generator."""

    latent: Annotated[int, Meta(ge=1, le=4096)]
    width: Annotated[int, Meta(ge=1, le=256)]
    resolution: Literal[32, 64, 128, 256]

    def build(self, classes: int) -> Generator:
        """Make the network, for so many classes."""
        return Generator(classes, **asdict(self))


class SegmenterArguments(Arguments, frozen=True, kw_only=True):
    """The arguments of a Segmenter."""

    width: Filters
    dilations: Annotated[tuple[Annotated[int, Meta(ge=1, le=64)], ...], Meta(max_length=64)]

    def build(self, classes: ClassSet) -> Segmenter:
        """Make the network, for these classes."""
        return Segmenter(classes, **asdict(self))


class SemganArguments(Arguments, frozen=True, kw_only=True, omit_defaults=True):
    """What the header of a semgan model records: its networks, one of them or both, and things with the generator."""

    generator: GeneratorArguments | None = None
    segmenter: SegmenterArguments | None = None
    things: ThingsArguments | None = None
