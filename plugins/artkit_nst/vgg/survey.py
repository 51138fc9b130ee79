"""Statistics of a picture's features, layer by layer and region by region, added up over tiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artkit.seeds import mix_seeds
from artkit_nst.regions import fit
from artkit_nst.vgg.losses import StyleLoss
from artkit_nst.vgg.network import STRIDES, STYLE, Vgg19
from artkit_nst.vgg.tiles import SIDE, Tile, cover


@dataclass(frozen=True)
class Spot:
    """Where statistics are taken: the `count` places (sorted, counted row by row) of a region in a layer's features.

    `places` is None where it is all of them.
    """

    layer: str
    count: int
    places: Tensor | None = None

    def at_most(self, sample: int | None, turn: int) -> Spot:
        """Return some of the places, others for every `turn`, where there are more than `sample`, and that is set."""
        if sample is None or self.count <= sample:
            return self
        generator = torch.Generator().manual_seed(mix_seeds(turn, STYLE.index(self.layer)))
        drawn = torch.randint(self.count, (sample,), generator=generator).unique()
        return replace(self, count=len(drawn), places=drawn if self.places is None else self.places[drawn])


def find_spots(size: tuple[int, int], regions: Tensor | None) -> list[list[Spot]]:
    """Return, for every style layer, the spot of each region (RHW) of a picture, or the one that is everywhere."""
    extents = [(layer, feature_size(size, layer)) for layer in STYLE]
    if regions is None:
        return [[Spot(layer, height * width)] for layer, (height, width) in extents]
    found = [(layer, [region.flatten().gt(0.5) for region in fit(regions, extent)]) for layer, extent in extents]
    return [[Spot(layer, int(mask.sum()), mask.nonzero()[:, 0].cpu()) for mask in masks] for layer, masks in found]


def feature_size(size: tuple[int, int], layer: str) -> tuple[int, int]:
    """Return (height, width) of a layer's features of a picture of that size."""
    return -(-size[0] // STRIDES[layer]), -(-size[1] // STRIDES[layer])


def survey(
    network: Vgg19, picture: Tensor, spots: Sequence[Spot], loss: type[StyleLoss], side: int = SIDE
) -> list[Tensor]:
    """Return the statistics that `loss` wants of a picture (3HW) at each spot, without gradients."""
    spots = [spot.at_most(loss.sample, 0) for spot in spots]
    with torch.no_grad():
        parts = (
            gather(network(picture[tile.surroundings]), tile, spots, loss)
            for tile in cover((picture.shape[-2], picture.shape[-1]), 0, side)
        )
        return add_up(parts)


def gather(features: dict[str, Tensor], tile: Tile, spots: Sequence[Spot], loss: type[StyleLoss]) -> list[Tensor]:
    """Return what a tile adds to the statistics at each spot; `features` are those of its surroundings."""
    return [_gather(tile.crop(spot.layer, features[spot.layer]), tile, spot, loss) for spot in spots]


def add_up(parts: Iterable[list[Tensor]]) -> list[Tensor]:
    """Return the sums of what tiles give, keeping no more than one tile's at a time."""
    total: list[Tensor] = []
    for part in parts:
        total = [so_far + one for so_far, one in zip(total, part, strict=True)] if total else part
    return total


def _gather(features: Tensor, tile: Tile, spot: Spot, loss: type[StyleLoss]) -> Tensor:
    flat, here = features.flatten(1), tile.places(spot.layer)
    if spot.places is None:
        return loss.gather(flat, here.to(flat.device), spot.count)
    slots = torch.searchsorted(spot.places, here).clamp(max=spot.count - 1)
    hit = spot.places[slots] == here
    return loss.gather(flat[:, hit.to(flat.device)], slots[hit].to(flat.device), spot.count)
