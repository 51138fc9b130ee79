"""What a picture of one size is optimised for: a photo's content and a style, region by region where there are some.

A large picture is computed in tiles, and yet as a whole: style losses look at sums over places, so one pass without
gradients adds up the statistics of all tiles, the loss is differentiated by these, and a second pass carries that back
through each tile alone. Memory for features does not grow with the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from artkit_nst.keys import Source
from artkit_nst.vgg.losses import StyleLoss, total_variation
from artkit_nst.vgg.network import CONTENT, STYLE, Vgg19
from artkit_nst.vgg.survey import Spot, add_up, feature_size, find_spots, gather, survey
from artkit_nst.vgg.tiles import SIDE, Tile, cover


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
    """The loss of a picture against a photo (3HW of the same size) and styles (with regions RHW, as the photo)."""

    def __init__(
        self,
        network: Vgg19,
        photo: Tensor,
        sources: Sequence[Source],
        regions: Tensor | None,
        loss: type[StyleLoss],
        weights: Weights,
        side: int = SIDE,
    ) -> None:
        self.network, self.loss, self.weights, self.side = network, loss, weights, side
        self.size = (photo.shape[-2], photo.shape[-1])
        self.content = self._find_content(photo)
        self.content_scale = self.content.square().sum().clamp(min=1e-12)
        self.terms = find_terms(network, find_spots(self.size, regions), sources, loss, side)

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

        The content's loss is that of Gatys et al. 2016, equation 1, relative to the photo's features.
        """
        features = self.network(surroundings)
        off = tile.crop(CONTENT, features[CONTENT]) - tile.part(CONTENT, self.content)
        content = self.weights.content * off.square().sum() / self.content_scale
        return [content, *gather(features, tile, spots, self.loss)]

    def _style(self, statistics: Sequence[Tensor]) -> Tensor:
        parts = [term.weight * term.loss(found) for term, found in zip(self.terms, statistics, strict=True)]
        return self.weights.style * torch.stack(parts).sum()

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
