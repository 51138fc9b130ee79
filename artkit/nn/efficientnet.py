"""EfficientNet-Lite0: the classifier of ImageNet whose features tell how alike pictures look.

After Tan and Le 2019 ("EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", table 1, B0). The
Lite variant, which the authors published later, has no squeeze-and-excitation, and ReLU6 instead of Swish.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first block, expansion and filters of each stage."""
STEM, HEAD, CLASSES = 32, 1280, 1000
SCALES = (2, 4, 8, 16, 32)
"""Strides of the feature maps: pixels from one place to the next."""
MEAN, DEVIATION = 127 / 255, 128 / 255  # of the input, for every colour: (0..255 less 127) / 128


class ConvNorm(nn.Module):
    """Convolution that pads as TensorFlow does ("SAME"), then batch norm; neither bias nor activation."""

    def __init__(self, before: int, after: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(after, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Map N C H W to N C' H/stride W/stride, rounded up."""
        if self.stride > 1:
            (top, bottom), (left, right) = (self._padding(side) for side in x.shape[-2:])
            x = F.pad(x, (left, right, top, bottom))
        normed: Tensor = self.norm(self.conv(x))
        return normed

    def _padding(self, side: int) -> tuple[int, int]:
        """Return the zeros before and after: where their number is odd, the one more comes after."""
        total = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
        return total // 2, total - total // 2

    def fold(self) -> None:
        """Make the norm, by the statistics it was trained to, part of the convolution."""
        assert isinstance(self.norm, nn.BatchNorm2d)
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


class MobileBlock(nn.Module):
    """Inverted residual block: expand, filter each channel by itself, project back without an activation."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.expand = ConvNorm(before, inner) if expansion > 1 else None
        self.depthwise = ConvNorm(inner, inner, kernel, stride, groups=inner)
        self.project = ConvNorm(inner, after)
        self.halves = stride > 1
        self.residual = stride == 1 and before == after

    def activate(self, x: Tensor) -> Tensor:
        """Return the expanded features after ReLU6."""
        return x if self.expand is None else F.relu6(self.expand(x), inplace=True)

    def finish(self, x: Tensor, inner: Tensor) -> Tensor:
        """Return the block's output for its input and what `activate` made of it."""
        out: Tensor = self.project(F.relu6(self.depthwise(inner), inplace=True))
        return x + out if self.residual else out


class EfficientNetLite0(nn.Module):
    """The whole network: `features` for how pictures look, `forward` for the class that ImageNet gives them.

    Freshly built it holds random weights; `artkit.nn.load_perceptual_network` returns the trained one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM, 3, 2)
        blocks: list[MobileBlock] = []
        before = STEM
        for count, kernel, stride, expansion, after in STAGES:
            for index in range(count):
                blocks.append(MobileBlock(before, after, kernel, 1 if index else stride, expansion))
                before = after
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvNorm(before, HEAD)
        self.classifier = nn.Linear(HEAD, CLASSES)

    def features(self, image: Tensor, depth: int = len(SCALES)) -> list[Tensor]:
        """Map N3HW in [0, 1], of any size, to the feature maps of the first `depth` of SCALES, fine to coarse.

        Each is the last one after a ReLU6 before the network halves the resolution; the fifth is the head's. They have
        96, 144, 240, 672 and 1280 channels, in [0, 6]. Outputs of blocks, which no ReLU follows, are left alone: as a
        loss they make pictures blotchy. Computed in float32, whatever the precision around it.
        """
        with torch.autocast(image.device.type, enabled=False):
            x = (image.float() - MEAN) / DEVIATION
            x = F.relu6(self.stem(x.contiguous(memory_format=torch.channels_last)), inplace=True)
            found: list[Tensor] = []
            for block in self.blocks:
                assert isinstance(block, MobileBlock)
                inner = block.activate(x)
                if block.halves:
                    found.append(inner)
                if len(found) == depth:
                    return found
                x = block.finish(x, inner)
            return [*found, F.relu6(self.head(x), inplace=True)]

    def forward(self, image: Tensor) -> Tensor:
        """Map N3HW in [0, 1] to the logits of the 1000 classes; trained on squares of 224 pixels."""
        logits: Tensor = self.classifier(self.features(image)[-1].mean((2, 3)))
        return logits

    def freeze(self) -> EfficientNetLite0:
        """Fold the norms into the convolutions, a fifth faster, and switch gradients of weights off; return itself."""
        self.eval().requires_grad_(False)
        for layer in self.modules():
            if isinstance(layer, ConvNorm):
                layer.fold()
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
