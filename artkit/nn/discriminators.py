"""PatchGAN discriminators (Isola et al. 2017, section 6.1.2) and their multi-scale form (Wang et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn.antialias import BlurDown
from artkit.nn.norm import NormKind, make_norm

PATCH_LAYERS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""The `layers` of a PatchDiscriminator that looks at patches of so many pixels."""


class PatchDiscriminator(nn.Module):
    """Judge overlapping patches: `layers` = 0, 1, 3, 5 look at 1, 16, 70, 286 px. Returns logits, N 1 h w.

    `layers=0` is the pixel discriminator (1x1 convolutions). `features` also returns the activations, for feature
    matching. With `antialias` it halves through blur filters, as CUT's does (Park et al. 2020). The first convolution
    has a bias, those under instance norm, and the last one of patches, as in the authors' code. `answers` is the number
    of logits at each place: more than one for several questions about the same picture.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        layers: int = 3,
        norm: NormKind = "batch",
        spectral: bool = False,
        antialias: bool = False,
        answers: int = 1,
    ) -> None:
        super().__init__()
        wrap = spectral_norm if spectral else _unchanged
        size, pad = (1, 0) if layers == 0 else (4, 1)
        strides = [1, 1] if layers == 0 else [2] * layers + [1]
        biased = norm == "instance"
        channels, stages = in_channels, []
        for index, stride in enumerate(strides):
            out, blurred = width * min(2**index, 8), antialias and stride == 2
            conv = wrap(nn.Conv2d(channels, out, size, 1 if blurred else stride, pad, bias=biased or index == 0))
            blur = [BlurDown(out)] if blurred else []
            stages.append(nn.Sequential(conv, make_norm(norm if index else "none", out), nn.LeakyReLU(0.2), *blur))
            channels = out
        stages.append(nn.Sequential(wrap(nn.Conv2d(channels, answers, size, 1, pad, bias=biased or layers > 0))))
        self.stages = nn.ModuleList(stages)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the activations of every stage; the last is the logits."""
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map N in_channels H W to patch logits."""
        return self.features(x)[-1]


class MultiscaleDiscriminator(nn.Module):
    """One PatchDiscriminator for each width in `widths`, each seeing the picture at half the size of the one before."""

    def __init__(
        self,
        in_channels: int,
        widths: tuple[int, ...] = (64, 64),
        layers: int = 3,
        norm: NormKind = "instance",
        spectral: bool = False,
        answers: int = 1,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(in_channels, width, layers, norm, spectral, antialias, answers) for width in widths
        )

    def features(self, x: Tensor) -> list[list[Tensor]]:
        """Return each scale's activations, finest scale first; the last of each list is its logits."""
        outputs = []
        for index, scale in enumerate(self.scales):
            x = x if index == 0 else F.avg_pool2d(x, 2)
            outputs.append(scale.features(x))  # type: ignore[operator]
        return outputs

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return each scale's patch logits."""
        return [activations[-1] for activations in self.features(x)]


def least_side(layers: int, scales: int = 1) -> int:
    """Return the least side of a picture, in pixels, that discriminators of so many layers and scales can judge."""
    return 3 * 2 ** (layers + scales - 1) if layers else 2 ** (scales - 1)


def discriminator_options(tensors: Mapping[str, Tensor], name: str) -> dict[str, Any]:
    """Return the training options `scales`, `patch` and `antialias` of a model's MultiscaleDiscriminator called `name`.

    They are read off its tensors: nothing where there are none, and no `patch` where no option has so many layers.
    """
    prefix, first = f"{name}.scales.", ".stages.0.0.weight"
    weights = [tensor for key, tensor in tensors.items() if key.startswith(prefix) and key.endswith(first)]
    if not weights:
        return {}
    stages = {key.split(".")[4] for key in tensors if key.startswith(f"{prefix}0.stages.")}
    layers = 0 if weights[0].shape[-1] == 1 else len(stages) - 2
    patches = [patch for patch, known in PATCH_LAYERS.items() if known == layers]
    options: dict[str, Any] = {"scales": [len(weight) for weight in weights]}
    options |= {"patch": patches[0]} if patches else {}
    return options | {"antialias": f"{prefix}0.stages.0.3.filter" in tensors}


def _unchanged(module: nn.Module) -> nn.Module:
    return module
