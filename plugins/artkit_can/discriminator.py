"""The discriminator and its two heads: is it art, and in which style?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn import init_weights

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
