"""The objective of one size: content, style and total variation, region by region where there are some.

A large picture is computed in tiles, and yet as a whole: style losses look at sums over places, so one pass without
gradients adds up the statistics of all tiles, the loss is differentiated by these, and a second pass carries that back
through each tile alone. Memory for features does not grow with the picture. The tiles are nst's own since artkit.nn's
are for forward passes: there is nothing to differentiate, and no sum of which gradients are wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from artkit.seeds import mix_seeds
from artkit_nst.levels import Maps
from artkit_nst.patches import Source
from artkit_nst.regions import fit
from artkit_nst.vgg.losses import StyleLoss, total_variation
from artkit_nst.vgg.network import CONTENT, HALO, STRIDES, STYLE, Vgg19

SIDE = 512  # pixels; with its halo and its gradient a tile takes about a gigabyte
IMPORTANT = 9.0  # how many times more than another a place may count where the photo is all important
STEP = max(STRIDES.values())  # tiles begin at multiples of it, as the features of the whole picture do


@dataclass(frozen=True)
class Span:
    """Pixels `start` to `stop` of a side of a tile, and `before` to `after`, which they depend on."""

    start: int
    stop: int
    before: int
    after: int

    def features(self, stride: int) -> slice:
        """Return where the features of the tile lie among those of its surroundings."""
        return slice((self.start - self.before) // stride, -(-(self.stop - self.before) // stride))

    def places(self, stride: int) -> slice:
        """Return where they lie among those of the whole picture."""
        return slice(self.start // stride, -(-self.stop // stride))


@dataclass(frozen=True)
class Tile:
    """A rectangle of a picture of `width` pixels across."""

    rows: Span
    columns: Span
    width: int

    @property
    def surroundings(self) -> tuple[slice, slice, slice]:
        """The part of the picture (CHW) that the tile's features depend on."""
        return slice(None), slice(self.rows.before, self.rows.after), slice(self.columns.before, self.columns.after)

    def crop(self, layer: str, features: Tensor) -> Tensor:
        """Cut the tile's own features out of those of its surroundings."""
        return features[:, self.rows.features(STRIDES[layer]), self.columns.features(STRIDES[layer])]

    def part(self, layer: str, features: Tensor) -> Tensor:
        """Cut the tile's own features out of those of the whole picture."""
        return features[:, *self._spans(STRIDES[layer])]

    def places(self, layer: str) -> Tensor:
        """Return the places (N) of the tile's features among all of the layer's, counted row by row."""
        stride = STRIDES[layer]
        down, across = (torch.arange(span.start, span.stop) for span in self._spans(stride))
        return (down[:, None] * -(-self.width // stride) + across).flatten()

    def _spans(self, stride: int) -> tuple[slice, slice]:
        return self.rows.places(stride), self.columns.places(stride)


def cover(size: tuple[int, int], turn: int, side: int = SIDE) -> list[Tile]:
    """Return tiles that cover a picture of (height, width); one, where it is no larger than a tile with its halo.

    Another `turn` puts them elsewhere, so that what little rounding does at their borders never adds up.
    """
    height, width = size
    if height * width <= (side + 2 * HALO) ** 2:
        side = STEP * max(height, width)
    shifts = [mix_seeds(turn, axis) % (side // STEP) * STEP for axis in range(2)] if side < max(size) else [0, 0]
    return [
        Tile(rows, columns, width)
        for rows in _spans(height, side, shifts[0])
        for columns in _spans(width, side, shifts[1])
    ]


def _spans(length: int, side: int, shift: int) -> Iterator[Span]:
    bounds = [0, *range(shift or side, length, side), length]
    for start, stop in pairwise(bounds):
        yield Span(start, stop, max(0, start - HALO), min(length, stop + HALO))


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


@dataclass(frozen=True)
class Weights:
    """Of the content, of all style layers together, and of total variation. All losses are relative, about 0 to 1."""

    content: float
    style: float
    variation: float


@dataclass(frozen=True)
class Term:
    """A style loss at one spot, and its weight."""

    spot: Spot
    weight: float
    loss: StyleLoss


class Objective:
    """The loss of a picture against a photo (3HW of the same size, as its maps) and styles (with regions if it has)."""

    def __init__(
        self,
        network: Vgg19,
        photo: Tensor,
        sources: Sequence[Source],
        maps: Maps,
        loss: type[StyleLoss],
        weights: Weights,
        side: int = SIDE,
    ) -> None:
        self.network, self.loss, self.weights, self.side = network, loss, weights, side
        self.size = (photo.shape[-2], photo.shape[-1])
        self.content = self._find_content(photo)
        self.content_scale = self.content.square().sum().clamp(min=1e-12)
        self.importance = self._find_importance(maps.importance)
        self.terms = find_terms(network, find_spots(self.size, maps.regions), sources, loss, side)

    def __call__(self, picture: Tensor, turn: int = 0) -> Tensor:
        """Return the loss, a scalar; `turn` numbers the steps, each of which looks at large pictures anew."""
        spots, tiles = self._spots(turn), cover(self.size, turn, self.side)
        content, *statistics = add_up(self._look(picture[tile.surroundings], tile, spots) for tile in tiles)
        return content + self._style(statistics) + self.weights.variation * total_variation(picture)

    def gradient(self, picture: Tensor, turn: int = 0) -> tuple[float, Tensor]:
        """Return the loss and its gradient, with the features of no more than one tile in memory."""
        leaf = picture.detach().requires_grad_()
        tiles = cover(self.size, turn, self.side)
        if len(tiles) == 1:
            loss = self(leaf, turn)
            return float(loss.detach()), torch.autograd.grad(loss, leaf)[0]
        variation = self.weights.variation * total_variation(leaf)
        gradient = torch.autograd.grad(variation, leaf)[0]
        spots = self._spots(turn)
        with torch.no_grad():
            content, *statistics = add_up(self._look(picture[tile.surroundings], tile, spots) for tile in tiles)
        leaves = [statistic.requires_grad_() for statistic in statistics]
        style = self._style(leaves)
        slopes = torch.autograd.grad(style, leaves)
        for tile in tiles:
            part = picture[tile.surroundings].detach().requires_grad_()
            pull, *gathered = self._look(part, tile, spots)
            pull = pull + sum((slope * piece).sum() for slope, piece in zip(slopes, gathered, strict=True))
            gradient[tile.surroundings] += torch.autograd.grad(pull, part)[0]
        return float((content + style + variation).detach()), gradient

    def _spots(self, turn: int) -> list[Spot]:
        return [term.spot.at_most(self.loss.sample, turn) for term in self.terms]

    def _look(self, surroundings: Tensor, tile: Tile, spots: list[Spot]) -> list[Tensor]:
        """Return what a tile adds to the content's loss, then to the statistics of each term.

        The content's loss is that of Gatys et al. 2016, equation 1, relative to the photo's features. Differs in that
        places count more where the photo is important.
        """
        features = self.network(surroundings)
        off = tile.crop(CONTENT, features[CONTENT]) - tile.part(CONTENT, self.content)
        content = self.weights.content * (tile.part(CONTENT, self.importance) * off.square()).sum() / self.content_scale
        return [content, *gather(features, tile, spots, self.loss)]

    def _style(self, statistics: Sequence[Tensor]) -> Tensor:
        parts = [term.weight * term.loss(found) for term, found in zip(self.terms, statistics, strict=True)]
        return self.weights.style * torch.stack(parts).sum()

    def _find_importance(self, given: Tensor | None) -> Tensor:
        """Return how much each place of the content's features counts, 1HW."""
        extent = feature_size(self.size, CONTENT)
        return 1 + IMPORTANT * fit(given, extent) if given is not None else self.content.new_ones(1, *extent)

    def _find_content(self, photo: Tensor) -> Tensor:
        """Return the photo's features, of all its tiles."""
        whole = photo.new_empty(0)
        with torch.no_grad():
            for tile in cover(self.size, 0, self.side):
                found = tile.crop(CONTENT, self.network(photo[tile.surroundings])[CONTENT])
                if not len(whole):
                    whole = found.new_empty(len(found), *feature_size(self.size, CONTENT))
                tile.part(CONTENT, whole).copy_(found)
        return whole


def find_terms(
    network: Vgg19, spots: list[list[Spot]], sources: Sequence[Source], loss: type[StyleLoss], side: int
) -> list[Term]:
    """Return the style losses of a picture with `spots`: of each layer and each region that covers anything there."""
    surveyed = [_survey(network, source, loss, side) for source in sources]
    terms = []
    for number, layer in enumerate(spots):
        everywhere = sum(spot.count for spot in layer)
        for region, spot in enumerate(layer):
            known = [found for made in surveyed if (found := made[number][region]) is not None]
            if spot.count and known:
                shares = [share / sum(share for share, _ in known) for share, _ in known]
                weight = spot.count / everywhere / len(STYLE)
                terms.append(Term(spot, weight, loss([statistics for _, statistics in known], shares)))
    return terms


def _survey(
    network: Vgg19, source: Source, loss: type[StyleLoss], side: int
) -> list[list[tuple[float, Tensor] | None]]:
    """Return, by layer and region, a style's share of the region and its statistics there; None where it has none."""
    size = (source.picture.shape[-2], source.picture.shape[-1])
    spots = find_spots(size, source.regions)
    made = iter(survey(network, source.picture, [spot for layer in spots for spot in layer if spot.count], loss, side))
    areas = [math.prod(feature_size(size, layer)) for layer in STYLE]
    return [
        [(source.share * spot.count / area, next(made)) if spot.count else None for spot in layer]
        for layer, area in zip(spots, areas, strict=True)
    ]
