"""PatchGAN discriminators (Isola et al. 2017, section 6.1.2) and their multi-scale form (Wang et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from artkit.nn.antialias import BlurDown
from artkit.nn.norm import make_norm
from artkit.nn.options import DiscriminatorOptions, NormKind

PATCH_LAYERS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""The `layers` of a PatchDiscriminator by its receptive field, in pixels."""


class PatchDiscriminator(nn.Module):
    """PatchGAN: classify overlapping patches as real or fake. Returns logits, N `outputs` h w.

    `layers` = 0, 1, 2, 3, 4, 5 give a receptive field of 1, 16, 34, 70, 142, 286 px. `layers=0` is the pixel
    discriminator (1x1 convolutions). `features` also returns the activations, for feature matching. With `antialias` it
    halves through blur filters, as CUT's does (Park et al. 2020). The first convolution has a bias, those under
    instance norm, and the last one of patches, as in the authors' code. `outputs` is the number of logits a place: more
    than one for several questions about the same picture.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        layers: int = 3,
        norm: NormKind = "batch",
        spectral: bool = False,
        antialias: bool = False,
        outputs: int = 1,
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
        stages.append(nn.Sequential(wrap(nn.Conv2d(channels, outputs, size, 1, pad, bias=biased or layers > 0))))
        self.stages = nn.ModuleList(stages)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the activations of every stage; the last is the logits."""
        activations = []
        for stage in self.stages:
            x = stage(x)
            activations.append(x)
        return activations

    def forward(self, x: Tensor) -> Tensor:
        """Map N in_channels H W to patch logits."""
        return self.features(x)[-1]


class MultiscaleDiscriminator(nn.Module):
    """Multi-scale PatchGAN: a PatchDiscriminator of each width in `widths`, each at half the size of the one before."""

    def __init__(
        self,
        in_channels: int,
        widths: tuple[int, ...] = (64, 64),
        layers: int = 3,
        norm: NormKind = "instance",
        spectral: bool = False,
        outputs: int = 1,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(in_channels, width, layers, norm, spectral, antialias, outputs) for width in widths
        )

    def features(self, x: Tensor) -> list[list[Tensor]]:
        """Return each scale's activations, finest scale first; the last of each list is its logits."""
        activations = []
        for index, scale in enumerate(self.scales):
            assert isinstance(scale, PatchDiscriminator)
            x = x if index == 0 else F.avg_pool2d(x, 2)
            activations.append(scale.features(x))
        return activations

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return each scale's patch logits."""
        return [activations[-1] for activations in self.features(x)]


def make_discriminator(
    options: DiscriminatorOptions, in_channels: int, *, outputs: int = 1, antialias: bool = False
) -> MultiscaleDiscriminator:
    """Build the discriminator that the training options describe; see MultiscaleDiscriminator."""
    return MultiscaleDiscriminator(in_channels, **discriminator_arguments(options, outputs, antialias))


def discriminator_arguments(options: DiscriminatorOptions, outputs: int = 1, antialias: bool = False) -> dict[str, Any]:
    """Return what a MultiscaleDiscriminator is constructed with besides its channels, for a class built on it."""
    return {
        "widths": options.widths,
        "layers": PATCH_LAYERS[options.receptive_field],
        "norm": options.discriminator_norm,
        "spectral": options.spectral,
        "outputs": outputs,
        "antialias": antialias,
    }


def least_side(options: DiscriminatorOptions) -> int:
    """Return the least side of a picture, in pixels, that the discriminator of these options can take."""
    layers, scales = PATCH_LAYERS[options.receptive_field], len(options.widths)
    return 3 * 2 ** (layers + scales - 1) if layers else 2 ** (scales - 1)


def options_of_discriminator(tensors: Mapping[str, Tensor], name: str) -> dict[str, Any]:
    """Return the DiscriminatorOptions, and `antialias`, of a model's MultiscaleDiscriminator called `name`.

    They are read off its tensors: nothing where there are none, and no `receptive_field` where no option has so many
    layers.
    """
    prefix, first = f"{name}.scales.", ".stages.0.0.weight"
    weights = [tensor for key, tensor in tensors.items() if key.startswith(prefix) and key.endswith(first)]
    if not weights:
        return {}
    stages = {key.split(".")[4]: None for key in tensors if key.startswith(f"{prefix}0.stages.")}
    layers = 0 if weights[0].shape[-1] == 1 else len(stages) - 2
    fields = [field for field, known in PATCH_LAYERS.items() if known == layers]
    options: dict[str, Any] = {"widths": [len(weight) for weight in weights]}
    options |= {"receptive_field": fields[0]} if fields else {}
    options["discriminator_norm"] = _norm_of(tensors, f"{prefix}0.stages.1")
    return options | {"antialias": f"{prefix}0.stages.0.3.filter" in tensors}


def _norm_of(tensors: Mapping[str, Tensor], stage: str) -> NormKind:
    """Tell a stage's norm by its tensors: batch norm has some, and under instance norm convolutions have biases."""
    return "batch" if f"{stage}.1.weight" in tensors else "instance" if f"{stage}.0.bias" in tensors else "none"


def _unchanged(module: nn.Module) -> nn.Module:
    return module
