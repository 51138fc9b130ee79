"""Scores by the features of EfficientNet-Lite0: how alike pairs look, and how alike two sets of pictures are.

The network's weights are an extra; see `artkit.nn.load_perceptual_network`. The names are our own on purpose: LPIPS,
FID and KID as papers report them come from other networks, and their numbers are not comparable with these.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.errors import DataError
from artkit.metrics.pairs import Pictures, as_images, mean_over_pairs
from artkit.nn import EfficientNetLite0, feature_distance, load_perceptual_network

SIDE = 224  # pixels of the shorter side that the network was trained on


@torch.inference_mode()
def perceptual_distance(a: Pictures, b: Pictures) -> float:
    """Return the mean perceptual distance of pairs, 0 for equal ones and 2 at most.

    The protocol: pictures at their own resolution, float, not rounded to 8 bits; five feature maps after ReLU6, of
    strides 2 to 32; `artkit.nn.feature_distance`, after Zhang et al. 2018. Raises ModelError where the network's
    package is missing, DataError for pairs of different sizes.
    """
    first, second = as_images(a), as_images(b)
    network = load_perceptual_network()

    def score(one: Tensor, other: Tensor) -> float:
        network.to(one.device)
        return float(feature_distance(network.features(one[None]), network.features(other[None])))

    return mean_over_pairs(score, first, second)


@torch.inference_mode()
def perceptual_kid(a: Pictures, b: Pictures) -> float:
    """Return the kernel distance between two sets of pictures: 0 for sets of one distribution, on average.

    The protocol: every picture resized, bicubic and antialiased, to 224 pixels along its shorter side; the 1280
    features x of the network's head after ReLU6, averaged over places; the unbiased estimate of the squared maximum
    mean discrepancy under the kernel (x.y / 1280 + 1)^3, over all pairs of pictures (Binkowski et al. 2018,
    "Demystifying MMD GANs"). Differs in the network, and in taking whole sets at once instead of averaging over blocks
    of them. Being unbiased it can fall below 0, and of few pictures it is noisy: take fifty or more.

    Pictures need no partners. Raises ModelError where the network's package is missing, DataError for a set of one.
    """
    sets = as_images(a), as_images(b)
    if min(map(len, sets)) < 2:
        raise DataError("perceptual_kid compares sets: it needs at least two pictures on either side.")
    network = load_perceptual_network()
    x, y = (torch.stack([_pooled(network, image) for image in images]) for images in sets)
    return _mean_off_diagonal(_kernel(x, x)) + _mean_off_diagonal(_kernel(y, y)) - 2 * _kernel(x, y).mean().item()


def _pooled(network: EfficientNetLite0, image: Tensor) -> Tensor:
    """Return the features of one image (3HW), averaged over places: float64, (1280,)."""
    factor = SIDE / min(image.shape[-2:])
    size = [round(side * factor) for side in image.shape[-2:]]
    resized = F.interpolate(image[None].float(), size=size, mode="bicubic", antialias=True).clamp(0, 1)
    return network.to(image.device).features(resized)[-1].double().mean((2, 3))[0].cpu()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _mean_off_diagonal(matrix: Tensor) -> float:
    count = len(matrix)
    return ((matrix.sum() - matrix.trace()) / (count * (count - 1))).item()
