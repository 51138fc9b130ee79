"""Normalisation by each picture's own statistics, without leaving channels-last memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn.options import NormKind
from artkit.nn.tiling import is_tile, whole_sum


class InstanceNorm(nn.Module):
    """Instance normalisation without learned parameters (Ulyanov et al. 2016), N C H W in and out.

    It runs as a group norm with one group a channel: the same function, twice as fast, and one that keeps channels-last
    tensors as they are. But its backward is slow on those, eight times as slow as that of batch norm, which for one
    picture is the same function too; for several, `F.instance_norm` is the lesser evil.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.eps = channels, eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of each picture to mean 0 and variance 1."""
        learning = torch.is_grad_enabled() and x.requires_grad
        if learning and _has_spread(x) and not x.is_contiguous():
            one = len(x) == 1
            return F.batch_norm(x, None, None, training=True, eps=self.eps) if one else F.instance_norm(x, eps=self.eps)
        return _normalise_pictures(x, self.channels, self.eps)


class PictureBatchNorm(nn.BatchNorm2d):
    """Batch normalisation that, out of training, uses the statistics of each picture by itself.

    pix2pix keeps batch statistics at test time (Isola et al. 2017, section 3.3), with batches of one: this is that,
    for any batch size, so that a batch of n equals n batches of one. `statistics="running"` gives the usual running
    averages.
    """

    def __init__(self, channels: int, statistics: Literal["picture", "running"] = "picture") -> None:
        super().__init__(channels)
        self.statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N C H W: by the batch in training, by the picture (or running averages) otherwise."""
        if self.training or self.statistics == "running":
            return super().forward(x)
        return _normalise_pictures(x, self.num_features, self.eps, self.weight, self.bias)


def _normalise_pictures(
    x: Tensor, channels: int, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """Normalise every channel of every picture; a single pixel is its own mean, which `F.group_norm` refuses.

    `channels` are x's, told as a number: a graph for other programs has none in it else.
    """
    if is_tile():
        return _normalise_tiles(x, eps, weight, bias)
    if _has_spread(x):
        return F.group_norm(x, channels, weight, bias, eps)
    return torch.zeros_like(x) if bias is None else bias[None, :, None, None].expand_as(x)


def _normalise_tiles(x: Tensor, eps: float, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Normalise tiles of pictures by the statistics of the whole pictures."""
    exact = torch.promote_types(x.dtype, torch.float32)
    weight, bias = (None if each is None else each.to(exact) for each in (weight, bias))
    count, total, squares = whole_sum(_moments, x)
    mean = total / count
    variance = (squares / count - mean.square()).clamp_min(0)
    rows = zip(x.split(1), mean.to(x.device, exact), variance.to(x.device, exact), strict=True)
    return torch.cat([F.batch_norm(row, mean, variance, weight, bias, eps=eps) for row, mean, variance in rows])


def _moments(x: Tensor) -> Tensor:
    """Return how many pixels each channel of N C H W has, their sum and that of their squares: 3 N C, float64."""
    values = x.flatten(2).to("cpu" if x.device.type == "mps" else x.device, torch.float64)
    return torch.stack((torch.full_like(values[..., 0], values.shape[-1]), values.sum(2), values.square().sum(2)))


def _has_spread(x: Tensor) -> bool:
    return x.shape[-1] * x.shape[-2] > 1


def make_norm(kind: NormKind, channels: int) -> nn.Module:
    """Build the normalisation layer called `kind` for `channels` channels."""
    if kind == "instance":
        return InstanceNorm(channels)
    if kind == "batch":
        return PictureBatchNorm(channels)
    return nn.Identity()


@torch.no_grad()
def settle_norms(network: nn.Module, inputs: Iterable[tuple[Tensor, ...]]) -> None:
    """Replace the running averages of a network's batch normalisation by plain averages over these inputs.

    For averaged weights, whose own activations the averages kept in training do not describe. Leaves the network in
    evaluation mode.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # a plain average, of all inputs alike
    network.train()
    for given in inputs:
        network(*given)
    network.eval()


def init_weights(module: nn.Module, std: float = 0.02) -> None:
    """Draw convolution weights from N(0, std) and zero their biases, as pix2pix and CycleGAN do (Isola et al., 6.2)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)
