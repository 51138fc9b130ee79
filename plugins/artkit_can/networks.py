"""CAN's generator and its two-headed discriminator."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn import STROKE_CHANNELS, init_weights
from artkit.nn.layout import lay_out

Upsample = Literal["transposed", "resize"]

START = 4
"""Side of the first feature map, in pixels."""


def plan_side(resolution: int) -> int:
    """Return the side of the feature map that is stretched where a picture of another size is asked for."""
    return min(16, resolution // 2)


def size_multiple(resolution: int) -> int:
    """Return what the sides of pictures must be multiples of."""
    return resolution // plan_side(resolution)


class Generator(nn.Module):
    """z to a picture in [-1, 1]: a dense layer to 4 x 4, then levels that double the side, after the paper's DCGAN.

    Level by level down from `resolution` / 2 there are `width`, 2 `width`, ... at most 16 `width` filters; batch
    normalisation and leaky ReLU 0.2 follow each level. The paper has `latent=100`, `width=64`, `resolution=256` and
    5 x 5 transposed convolutions of stride 2; `upsample="resize"` doubles by nearest neighbour before a 3 x 3
    convolution, which leaves no grid (Odena et al. 2016).

    With `strokes` the last two levels also see a field of brush strokes (`artkit.nn.stroke_noise`): z says what is
    where, the strokes how it is painted. Ours, as is the way to other sizes: the 16 x 16 feature map, the picture's
    plan, is stretched, and what follows is convolutions, so that strokes stay as large as they were learned.
    """

    def __init__(
        self,
        latent: int = 100,
        width: int = 64,
        resolution: int = 256,
        upsample: Upsample = "transposed",
        strokes: bool = False,
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

    def forward(self, z: Tensor, strokes: Tensor | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """Map z, N `latent`, and strokes, N STROKE_CHANNELS H W, to N 3 H W.

        `size` is (H, W), multiples of `size_multiple`; the `resolution` when left out.
        """
        height, width = size or (self.resolution, self.resolution)
        x = self.first(lay_out(self.dense(z).unflatten(1, (-1, START, START))))
        multiple = size_multiple(self.resolution)
        for index, level in enumerate(self.levels):
            x = level(x)
            if index == self.plan_level:
                x = F.interpolate(x, size=(height // multiple, width // multiple), mode="bilinear")
        if self.coarse is not None and self.fine is not None:
            assert strokes is not None
            x = self.fine(self.last(self.coarse(x, F.avg_pool2d(strokes, 2))), strokes)
        return torch.tanh(self.leave(x))


class StrokeMix(nn.Module):
    """Add strokes to features, each as strongly as the features at its place say."""

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
"""Side of the feature map whose every place judges a patch, in pixels of that map."""


class StyleCritic(nn.Module):
    """The style of a picture in [-1, 1]: strided convolutions down to 4 x 4, then three dense layers to K logits.

    4 x 4 convolutions of stride 2 with `width`, 2 `width`, ... at most 16 `width` filters, batch-normalised but for
    the first. The paper's public implementation stops at 8 x 8, where the heads would hold most of the weights.
    """

    def __init__(self, styles: int, width: int = 32, resolution: int = 256, norm: str = "batch") -> None:
        super().__init__()
        channels, side, stages = 3, resolution, list[nn.Module]()
        while side > END:
            out = width * min(16, resolution // side)
            normed = norm == "batch" and channels > 3
            layers = [nn.Conv2d(channels, out, 4, 2, 1), *([nn.BatchNorm2d(out)] if normed else []), nn.LeakyReLU(0.2)]
            stages.append(nn.Sequential(*layers))
            channels, side = out, side // 2
        self.stages = nn.ModuleList(stages)
        self.width, self.end_channels = width, channels
        hidden = 4 * width
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


class Discriminator(StyleCritic):
    """A style critic that also tells art from what was made up; with `patches`, at every place of a 16 x 16 map too.

    `spectral` bounds the slope of every layer but the style head's (Miyato et al. 2018).
    """

    def __init__(
        self,
        styles: int,
        width: int = 32,
        resolution: int = 256,
        norm: str = "batch",
        spectral: bool = False,
        patches: bool = False,
    ) -> None:
        super().__init__(styles, width, resolution, norm)
        self.verdict = nn.Linear(END**2 * self.end_channels, 1)
        place = (resolution // PATCH_SIDE).bit_length() - 2
        self.place = max(0, min(place, len(self.stages) - 1))
        seen = width * min(16, 2**self.place)
        self.patch = nn.Conv2d(seen, 1, 3, padding=1) if patches else None
        init_weights(self)
        if spectral:
            for part in (self.stages, self.verdict, self.patch):
                _bound(part)

    def judge(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Map N 3 H W in [-1, 1] to real-or-made logits, one tensor a scale, and style logits N K."""
        activations = self.features(x)
        last = activations[-1].flatten(1)
        verdicts = [self.verdict(last)]
        if self.patch is not None:
            verdicts.append(self.patch(activations[self.place]))
        return verdicts, self.style(last)

    def critic_state(self) -> dict[str, Tensor]:
        """Return the tensors of its style critic, spectral normalisation worked in."""
        names = [name.replace("parametrizations.weight.original", "weight") for name in self.state_dict()]
        wanted = [name for name in names if name.startswith(("stages.", "style.")) and "parametrizations" not in name]
        training = self.training
        self.eval()  # else every look at a weight would go on with the power method
        state = {name: _find(self, name).detach() for name in wanted}
        self.train(training)
        return state


def _find(module: nn.Module, name: str) -> Tensor:
    path, _, leaf = name.rpartition(".")
    found: Tensor = getattr(module.get_submodule(path), leaf)
    return found


def _bound(part: nn.Module | None) -> None:
    for layer in part.modules() if part is not None else ():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)
