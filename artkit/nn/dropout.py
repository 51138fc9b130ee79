"""Dropout that can stay on at test time and still give every picture its own, repeatable mask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from artkit.nn.tiling import untiled


class PictureDropout(nn.Dropout):
    """Dropout, off out of training unless `seeded_dropout` gives it a generator for each picture of the batch."""

    generators: list[torch.Generator] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Drop entries of N C H W with probability `p`, scaling the rest by 1 / (1 - p)."""
        if self.training or self.generators is None:
            return super().forward(x)
        keep = [torch.rand(x.shape[1:], generator=generator) >= self.p for generator in self.generators]
        return x * torch.stack(keep).to(x.device, x.dtype) / (1 - self.p)


@contextmanager
def seeded_dropout(module: nn.Module, seeds: tuple[int, ...]) -> Iterator[None]:
    """Turn on every PictureDropout in `module` inside the block; picture i of the batch draws its masks from seed i.

    Masks are the whole picture's: inside the block nothing is computed in tiles.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    layers = [layer for layer in module.modules() if isinstance(layer, PictureDropout)]
    for layer in layers:
        layer.generators = generators
    try:
        with untiled():
            yield
    finally:
        for layer in layers:
            layer.generators = None
