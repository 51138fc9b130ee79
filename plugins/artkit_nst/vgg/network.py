"""VGG-19 (Simonyan and Zisserman 2015) up to relu5_1, and its weights: found, read from any layout, imported."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Kind, ModelError, ModelHeader
from artkit.models import user_model_path
from artkit.models.foreign import read_checkpoint
from artkit.spec import Checkpoint
from artkit_nst import SPEC

BLOCKS = (2, 2, 4, 4, 1)  # convolutions of each block; the fifth is needed to its first only
WIDTHS = (64, 128, 256, 512, 512)
LAYERS = tuple(f"relu{block}_{number}" for block, count in enumerate(BLOCKS, 1) for number in range(1, count + 1))
CONTENT = "relu4_2"
STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STRIDES = {layer: 2 ** (int(layer[4]) - 1) for layer in LAYERS}  # pixels from one feature to the next
HALO = 96  # pixels around a tile that its features depend on: 85, in multiples of the largest stride
SMALLEST = 16  # pixels of a side that still has something left after four poolings


class Vgg19(nn.Module):
    """The convolutions of VGG-19 for RGB in [0, 1]; how a file wants its input is part of the first one.

    Differs from the paper in pooling by the mean (Gatys et al. 2016, section 2) and in continuing the border of the
    input instead of surrounding it by zeros.
    """

    def __init__(self, tensors: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Take weight and bias by layer, as `read_weights` returns them."""
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(tensors[layer][0], requires_grad=False) for layer in LAYERS)
        self.biases = nn.ParameterList(nn.Parameter(tensors[layer][1], requires_grad=False) for layer in LAYERS)

    @property
    def fingerprint(self) -> str:
        """Hex digits that tell these weights from others."""
        digest = hashlib.blake2b(digest_size=8)
        for weight in self.weights:
            digest.update(weight.numpy(force=True).tobytes())
        return digest.hexdigest()

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Map 3HW in [0, 1] to the features (CHW, the deeper the smaller) of CONTENT and STYLE."""
        features, found = picture[None], {}
        for index, layer in enumerate(LAYERS):
            if layer.endswith("_1") and index:
                features = F.avg_pool2d(features, 2, ceil_mode=True)
            if index == 0:
                features = F.pad(features, (1, 1, 1, 1), mode="replicate")
            features = F.conv2d(features, self.weights[index], self.biases[index], padding=1 if index else 0)
            features = F.relu(features, inplace=True)
            if layer == CONTENT or layer in STYLE:
                found[layer] = features[0]
        return found


def fold(weight: Tensor, bias: Tensor, linear: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Return a first convolution that takes x in place of `linear` x + `shift` (3 x 3 and 3)."""
    return torch.einsum("odhw,dc->ochw", weight, linear), bias + torch.einsum("odhw,d->o", weight, shift)


NAME = "vgg19"  # in the store and in the catalogue
CACHED = ("vgg19-dcbb9e9d.pth", "vgg19-d01eb7cb.pth")  # torchvision's and Johnson's

# In a file, convolutions are numbered among all modules: by torchvision, and by AdaIN, which pads in modules of its own
# and puts a 1x1 convolution in front.
TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)
ADAIN = (2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42)

IMAGENET_MEAN, IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red; of 0 to 255


@dataclass(frozen=True)
class Found:
    """A file of weights, and where it was found, in words."""

    path: Path
    where: str


def find_weights(given: str | None) -> Found | None:
    """Return the weights to use: `given`, ARTKIT_VGG19, the store, or torch hub's cache; None where there are none.

    Raises ModelError when a file that was named is not there.
    """
    for named, where in ((given, "weights="), (os.environ.get("ARTKIT_VGG19"), "ARTKIT_VGG19")):
        if named:
            path = Path(named).expanduser()
            if not path.is_file():
                raise ModelError(f"{where}{'' if given else ' '}{named}: there is no such file of weights.")
            return Found(path, where.rstrip("="))
    return next((found for found in _usual() if found.path.is_file()), None)


def places() -> str:
    """Say where weights are looked for, and what brings them there."""
    looked = ", ".join(str(found.path) for found in _usual())
    return f"ARTKIT_VGG19, {looked} (to download them: artkit models pull {NAME})"


def _usual() -> list[Found]:
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    return [Found(user_model_path("nst", NAME), "the store"), *(Found(hub / name, "torch hub") for name in CACHED)]


def read_weights(path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Return weight and bias of each layer, for RGB in [0, 1]; raises ModelError for a file that is not VGG-19's."""
    return arrange(read_checkpoint(path), path)


def arrange(tensors_by_name: Mapping[str, Tensor], path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Return weight and bias of each layer, for RGB in [0, 1], from the tensors of the file `path`.

    Known are the layouts of torchvision and timm (also as safetensors), the Caffe files of Johnson, those of Gatys and
    of AdaIN, and artkit's own. Files may end after conv5_1. Raises ModelError for other tensors.
    """
    state = {name.removeprefix("module."): tensor for name, tensor in tensors_by_name.items()}
    names, linear, shift = _layout(state, path)
    tensors = {}
    for layer, name in zip(LAYERS, names, strict=True):
        weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
        if not (isinstance(weight, Tensor) and isinstance(bias, Tensor)):
            raise ModelError(f"{path} is no whole VGG-19: it lacks {name}. VGG-16 and other networks do not serve.")
        tensors[layer] = weight.float(), bias.float()
    _check_shapes(tensors, path)
    tensors[LAYERS[0]] = fold(*tensors[LAYERS[0]], linear, shift)
    return tensors


def _layout(state: dict[str, Tensor], path: Path) -> tuple[list[str], Tensor, Tensor]:
    """Return the convolutions' names, and the linear map and shift from RGB in [0, 1] to what the first one takes."""
    if f"{LAYERS[0]}.weight" in state:
        return list(LAYERS), torch.eye(3), torch.zeros(3)
    if "conv1_1.weight" in state:
        return [layer.replace("relu", "conv") for layer in LAYERS], *_caffe()
    if "0.weight" in state and state["0.weight"].shape == (3, 3, 1, 1):
        return [str(index) for index in ADAIN], state["0.weight"].float()[:, :, 0, 0], state["0.bias"].float()
    prefix = next((prefix for prefix in ("features.", "") if f"{prefix}0.weight" in state), None)
    if prefix is None:
        known = ", ".join(sorted(map(str, state))[:3])
        raise ModelError(f"{path} is no VGG-19 of a known layout: it holds {known or 'nothing'}.")
    names = [f"{prefix}{index}" for index in TORCHVISION]
    return names, *(_caffe() if _from_caffe(path) else _imagenet())


def _from_caffe(path: Path) -> bool:
    """Tell Johnson's file, whose tensors have torchvision's names, from torchvision's: only its name says so."""
    return "d01eb7cb" in path.name or "caffe" in path.name.lower()


def _imagenet() -> tuple[Tensor, Tensor]:
    spread = torch.tensor(IMAGENET_SPREAD)
    return torch.diag(1 / spread), -torch.tensor(IMAGENET_MEAN) / spread


def _caffe() -> tuple[Tensor, Tensor]:
    return 255 * torch.eye(3).flip(0), -torch.tensor(CAFFE_MEAN)


def _check_shapes(tensors: dict[str, tuple[Tensor, Tensor]], path: Path) -> None:
    widths = [width for width, count in zip(WIDTHS, BLOCKS, strict=True) for _ in range(count)]
    for layer, before, width in zip(LAYERS, [3, *widths[:-1]], widths, strict=True):
        weight, bias = tensors[layer]
        if weight.shape != (width, before, 3, 3) or bias.shape != (width,):
            found = "x".join(map(str, weight.shape))
            raise ModelError(f"{path} is no VGG-19: {layer} has weights of {found}, not {width}x{before}x3x3.")
        if not bool(torch.isfinite(weight).all() and torch.isfinite(bias).all()):
            raise ModelError(f"{path} is damaged: {layer} holds NaN.")


def import_vgg(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors (`relu1_1.weight`, ...), for RGB in [0, 1]; None for files that are not VGG-19's.

    Raises ModelError for those where the user asked for nst.
    """
    file = checkpoint.files[0]
    try:
        layers = arrange(file.tensors, file.path)
    except ModelError:
        if asked_for:
            raise
        return None
    header = ModelHeader(
        method=SPEC.name,
        summary="VGG-19 up to relu5_1",
        architecture="vgg19",
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        value_range=(0.0, 1.0),
    )
    tensors = {f"{layer}.{part}": tensor for layer, pair in layers.items() for part, tensor in _parts(pair)}
    return header, tensors


def _parts(pair: tuple[Tensor, Tensor]) -> list[tuple[str, Tensor]]:
    weight, bias = pair
    return [("weight", weight.contiguous()), ("bias", bias.contiguous())]
