"""Finding weights of VGG-19 on this machine, and reading them from every kind of file that is about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from artkit import ModelError
from artkit.models import user_model_path
from artkit.models.foreign import read_checkpoint
from artkit_nst.vgg import network
from artkit_nst.vgg.network import BLOCKS, LAYERS, fold

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
    widths = [width for width, count in zip(network.WIDTHS, BLOCKS, strict=True) for _ in range(count)]
    for layer, before, width in zip(LAYERS, [3, *widths[:-1]], widths, strict=True):
        weight, bias = tensors[layer]
        if weight.shape != (width, before, 3, 3) or bias.shape != (width,):
            found = "x".join(map(str, weight.shape))
            raise ModelError(f"{path} is no VGG-19: {layer} has weights of {found}, not {width}x{before}x3x3.")
        if not bool(torch.isfinite(weight).all() and torch.isfinite(bias).all()):
            raise ModelError(f"{path} is damaged: {layer} holds NaN.")
