"""CAN's generator, its discriminator with two heads, and the arguments that a model's header records of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Literal

import torch
from msgspec import Meta
from msgspec.structs import asdict
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn import STROKE_CHANNELS, Arguments, init_weights, stroke_noise
from artkit.nn.layout import lay_out
from artkit_can.hands import lay_by_hand
from artkit_can.losses import StyleForm

Upsample = Literal["transposed", "resize"]
Norm = Literal["batch", "none"]
Resolution = Literal[16, 32, 64, 128, 256, 512]
"""Sides of pictures, in pixels, that doubling from 4 x 4 leads to."""
Width = Annotated[int, Meta(ge=1, le=256)]
"""Filters of the widest feature map; the narrowest has 16 times as many."""

START = 4
"""Side of the first feature map, in pixels."""


def plan_side(resolution: int) -> int:
    """Return the side of the feature map that is stretched where a picture of another size is asked for."""
    return min(16, resolution // 2)


def size_multiple(resolution: int) -> int:
    """Return what the sides of pictures must be multiples of."""
    return resolution // plan_side(resolution)


class Generator(nn.Module):
    """DCGAN generator, z to a picture in [-1, 1]: a dense layer to 4 x 4, then levels that double the side.

    Level by level down from `resolution` / 2 there are `width`, 2 `width`, ... at most 16 `width` filters; batch
    normalisation and leaky ReLU 0.2 follow each level. The paper has `latent=100`, `width=64`, `resolution=256` and
    5 x 5 transposed convolutions of stride 2; `upsample="resize"` doubles by nearest neighbour before a 3 x 3
    convolution, which leaves no grid (Odena et al. 2016).

    With `strokes` the last two levels also see a field of brush strokes (`artkit.nn.stroke_noise`): z says what is
    where, the strokes how it is painted. Ours, as is the way to other sizes: the 16 x 16 feature map, the picture's
    plan, is stretched, and what follows is convolutions, so that strokes stay as large as they were learned.

    With `modulate` z also scales and shifts the features of every level, the same everywhere (as in FiLM, Perez et al.
    2018, and BigGAN's skip connections from z, Brock et al. 2019): what holds for the whole picture, such as its
    palette and its marks, need not pass through the plan.
    """

    def __init__(
        self,
        latent: int = 100,
        width: int = 64,
        resolution: int = 256,
        upsample: Upsample = "transposed",
        strokes: bool = False,
        modulate: bool = False,
    ) -> None:
        super().__init__()
        self.latent, self.resolution, self.strokes = latent, resolution, strokes
        sides = [START * 2**level for level in range((resolution // START).bit_length() - 1)]
        channels = [width * min(16, resolution // (2 * side)) for side in sides]
        self.dense = nn.Linear(latent, channels[0] * START**2, bias=False)
        self.first = nn.Sequential(nn.BatchNorm2d(channels[0]), nn.LeakyReLU(0.2))
        self.levels = nn.ModuleList(_level(*pair, upsample) for pair in pairwise(channels))
        self.plan_level = sides.index(plan_side(resolution)) - 1
        self.last = _level(width, width, upsample) if strokes else nn.Sequential()
        self.leave = nn.Conv2d(width, 3, 3, padding=1) if strokes else _double(width, 3, upsample, bias=True)
        init_weights(self)
        # After init_weights: strokes that start as faint as that are not found for a long time.
        self.coarse = StrokeMix(width) if strokes else None
        self.fine = StrokeMix(width) if strokes else None
        self.films = nn.ModuleList(nn.Linear(latent, 2 * out) for out in channels[1:]) if modulate else None

    def forward(self, z: Tensor, strokes: Tensor | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """Map z, N `latent`, and strokes, N STROKE_CHANNELS H W, to N 3 H W.

        `size` is (H, W), multiples of `size_multiple`; the `resolution` when left out.
        """
        height, width = size or (self.resolution, self.resolution)
        x = self.first(lay_out(self.dense(z).unflatten(1, (-1, START, START))))
        multiple = size_multiple(self.resolution)
        for index, level in enumerate(self.levels):
            x = level(x)
            if self.films is not None:
                gain, shift = self.films[index](z)[..., None, None].chunk(2, 1)
                x = x * (1 + gain) + shift
            if index == self.plan_level:
                x = F.interpolate(x, size=(height // multiple, width // multiple), mode="bilinear")
        if self.coarse is not None and self.fine is not None:
            assert strokes is not None
            x = self.fine(self.last(self.coarse(x, F.avg_pool2d(strokes, 2))), strokes)
        return torch.tanh(self.leave(x))


class StrokeMix(nn.Module):
    """Noise injection: add strokes to features, each as strongly as the features at its place say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(STROKE_CHANNELS, channels, 3, padding=1)
        self.gate = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, strokes: Tensor) -> Tensor:
        """Map features N C H W and strokes N STROKE_CHANNELS H W to N C H W."""
        return x + self.gate(x) * F.leaky_relu(self.enter(strokes), 0.2)


def _level(channels: int, out: int, upsample: Upsample) -> nn.Sequential:
    return nn.Sequential(*_double(channels, out, upsample, bias=False), nn.BatchNorm2d(out), nn.LeakyReLU(0.2))


def _double(channels: int, out: int, upsample: Upsample, bias: bool) -> nn.Sequential:
    if upsample == "transposed":
        return nn.Sequential(nn.ConvTranspose2d(channels, out, 5, 2, 2, output_padding=1, bias=bias))
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(channels, out, 3, padding=1, bias=bias))


END = 4
"""Side of the last feature map, in pixels."""
PATCH_SIDE = 16
"""Side of the feature map each of whose places the discriminator looks at by itself, in pixels of that map."""


class StyleClassifier(nn.Module):
    """Style classifier of pictures in [-1, 1]: strided convolutions down to 4 x 4, then three dense layers to K logits.

    4 x 4 convolutions of stride 2 with `width`, 2 `width`, ... at most 16 `width` filters, batch-normalised but for
    the first. The paper's public implementation stops at 8 x 8, where the heads would hold most of the weights.
    """

    def __init__(self, styles: int, width: int = 32, resolution: int = 256, norm: Norm = "batch") -> None:
        super().__init__()
        channels, side, stages = 3, resolution, list[nn.Module]()
        while side > END:
            out = width * min(16, resolution // side)
            normed = norm == "batch" and channels > 3
            layers = [nn.Conv2d(channels, out, 4, 2, 1), *([nn.BatchNorm2d(out)] if normed else []), nn.LeakyReLU(0.2)]
            stages.append(nn.Sequential(*layers))
            channels, side = out, side // 2
        self.stages = nn.ModuleList(stages)
        self.out_channels, hidden = channels, 4 * width
        self.style = nn.Sequential(
            nn.Linear(END**2 * channels, 2 * hidden), nn.LeakyReLU(0.2),
            nn.Linear(2 * hidden, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, styles),
        )  # fmt: skip
        init_weights(self)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the activations of every stage; the last is N C 4 4."""
        activations = []
        for stage in self.stages:
            x = stage(x)
            activations.append(x)
        return activations

    def forward(self, x: Tensor) -> Tensor:
        """Map N 3 `resolution` `resolution` to style logits N K."""
        return self.style(self.features(x)[-1].flatten(1))


class Discriminator(nn.Module):
    """CAN's discriminator: real or fake, and of which style; with `patches`, real or fake at places of 16 x 16 too.

    Both heads share the stages of a style classifier. `spectral` normalises every layer but the style head's (Miyato
    et al. 2018).
    """

    def __init__(
        self,
        styles: int,
        width: int = 32,
        resolution: int = 256,
        norm: Norm = "batch",
        spectral: bool = False,
        patches: bool = False,
    ) -> None:
        super().__init__()
        self.classifier = StyleClassifier(styles, width, resolution, norm)
        stages = self.classifier.stages
        self.whole = nn.Linear(END**2 * self.classifier.out_channels, 1)
        place = (resolution // PATCH_SIDE).bit_length() - 2
        self.place = max(0, min(place, len(stages) - 1))
        self.patch = nn.Conv2d(width * min(16, 2**self.place), 1, 3, padding=1) if patches else None
        init_weights(self)
        if spectral:
            for part in (stages, self.whole, self.patch):
                _normalise(part)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Map N 3 H W in [-1, 1] to real-or-fake logits, one tensor a scale, and style logits N K."""
        activations = self.classifier.features(x)
        last = activations[-1].flatten(1)
        logits = [self.whole(last)]
        if self.patch is not None:
            logits.append(self.patch(activations[self.place]))
        return logits, self.classifier.style(last)

    def classifier_state(self) -> dict[str, Tensor]:
        """Return the tensors of its style classifier, spectral normalisation worked in."""
        names = [name.replace("parametrizations.weight.original", "weight") for name in self.classifier.state_dict()]
        training = self.training
        self.eval()  # else every look at a weight would go on with the power method
        state = {name: _find(self.classifier, name).detach() for name in names if "parametrizations" not in name}
        self.train(training)
        return state


def _find(module: nn.Module, name: str) -> Tensor:
    path, _, leaf = name.rpartition(".")
    found: Tensor = getattr(module.get_submodule(path), leaf)
    return found


def _normalise(part: nn.Module | None) -> None:
    for layer in part.modules() if part is not None else ():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)


class GeneratorArguments(Arguments, frozen=True, kw_only=True):
    """The arguments of a Generator."""

    latent: Annotated[int, Meta(ge=1, le=4096)]
    width: Width
    resolution: Resolution
    upsample: Upsample
    strokes: bool = False
    hands: bool = False
    modulate: bool = False

    def build(self) -> Generator:
        """Make the network; it does not matter to it by which hand its strokes are laid."""
        return Generator(**{name: value for name, value in asdict(self).items() if name != "hands"})

    @property
    def lay(self) -> Callable[..., Tensor] | None:
        """What lays its strokes: of a height, a width and a seed, (STROKE_CHANNELS, H, W)."""
        if not self.strokes:
            return None
        return lay_by_hand if self.hands else stroke_noise


class ClassifierArguments(Arguments, frozen=True, kw_only=True):
    """The arguments of a StyleClassifier."""

    width: Width
    resolution: Resolution
    norm: Norm

    def build(self, styles: int) -> StyleClassifier:
        """Make the network, for so many styles."""
        return StyleClassifier(styles, **asdict(self))


class CanArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a can model records: its networks, the names of the styles, and the form of their logits."""

    generator: GeneratorArguments
    classifier: ClassifierArguments
    styles: Annotated[tuple[str, ...], Meta(min_length=2, max_length=4096)]
    style_form: StyleForm
