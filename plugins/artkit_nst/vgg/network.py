"""VGG-19 (Simonyan and Zisserman 2015) up to relu5_1, whatever file its weights came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
