"""A narrow VGG-19 with random weights, in the layouts that files come in, for the tests of nst."""

from __future__ import annotations

from itertools import pairwise

import torch

from artkit_nst.vgg.network import LAYERS, TORCHVISION, Vgg19

WIDTHS = (4, 5, 6, 7, 8)
COUNTS = (2, 2, 4, 4, 1)


def convolutions(seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return weight and bias of every layer."""
    generator = torch.Generator().manual_seed(seed)
    widths = [3, *(width for width, count in zip(WIDTHS, COUNTS, strict=True) for _ in range(count))]
    return [
        (
            torch.randn(after, before, 3, 3, generator=generator) / (3 * before**0.5),
            torch.rand(after, generator=generator),
        )
        for before, after in pairwise(widths)
    ]


def named(names: list[str]) -> dict[str, torch.Tensor]:
    """Return the tensors of a file whose layers have these names."""
    pairs = zip(names, convolutions(), strict=True)
    return {
        f"{name}.{part}": tensor for name, pair in pairs for part, tensor in zip(("weight", "bias"), pair, strict=True)
    }


def torchvision() -> dict[str, torch.Tensor]:
    """Return the tensors of a file of torchvision's."""
    return named([f"features.{index}" for index in TORCHVISION]) | {"classifier.0.bias": torch.zeros(3)}


def photo(side: int = 40, seed: int = 0) -> torch.Tensor:
    """Return a square photo of noise."""
    return torch.rand(3, side, side, generator=torch.Generator().manual_seed(seed))


def small_network() -> Vgg19:
    """Return the network itself."""
    return Vgg19(dict(zip(LAYERS, convolutions(), strict=True)))
