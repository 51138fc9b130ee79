"""What the style offers at one scale: patches of it, and a short description of each to search by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

DIMENSIONS = 32  # of a patch's description: with them, most of its variance is kept
REGION_PULL = 3.0  # how far patches of different regions are apart, in standard deviations of descriptions


@dataclass(frozen=True)
class Source:
    """A style at one scale: its picture (CHW), its share of the patches, and its regions (RHW in [0, 1]), if any."""

    picture: Tensor
    share: float
    regions: Tensor | None = None


@dataclass(frozen=True)
class Basis:
    """What patches of a style have in common, (C side side), and the directions they differ in, (C side side, D)."""

    mean: Tensor
    directions: Tensor


@dataclass(frozen=True)
class Keys:
    """Patches of `side` x `side` pixels, flattened (K, C side side), and their descriptions (K, D).

    A patch's description is (patch - mean) @ directions, followed by its share of each region times `pull`.
    """

    side: int
    patches: Tensor
    descriptions: Tensor
    basis: Basis
    pull: float

    def describe(self, patches: Tensor, regions: Tensor | None) -> Tensor:
        """Describe patches (N, C side side) with shares of regions (N, R) as the keys are described."""
        described = (patches - self.basis.mean) @ self.basis.directions
        return described if regions is None else torch.cat([described, self.pull * regions], 1)


def find_basis(sources: Sequence[Source], side: int, count: int, generator: torch.Generator) -> Basis:
    """Analyse about `count` random patches: their mean and principal components."""
    patches = torch.cat([patches for patches, _ in _draw_all(sources, side, count, generator)])
    mean = patches.mean(0)
    centred = patches - mean
    _, vectors = torch.linalg.eigh((centred.T @ centred).cpu().double())
    return Basis(mean, vectors[:, -DIMENSIONS:].to(patches))


def collect_keys(sources: Sequence[Source], side: int, count: int, basis: Basis, generator: torch.Generator) -> Keys:
    """Cut about `count` patches at random places of the sources, each as often mirrored as not."""
    drawn = _draw_all(sources, side, count, generator)
    patches = torch.cat([patches for patches, _ in drawn])
    described = (patches - basis.mean) @ basis.directions
    pull = REGION_PULL * float(described.square().sum(1).mean().sqrt())
    if drawn[0][1] is not None:
        regions = torch.cat([regions for _, regions in drawn if regions is not None])
        described = torch.cat([described, pull * regions], 1)
    return Keys(side, patches, described, basis, pull)


def cut(picture: Tensor, tops: Tensor, lefts: Tensor, side: int) -> Tensor:
    """Return the patches (N, C side side) of CHW at the given places; beyond its border the border goes on."""
    within = torch.arange(side, device=picture.device)
    rows = (tops[:, None] + within).clamp(0, picture.shape[-2] - 1)[:, :, None]
    columns = (lefts[:, None] + within).clamp(0, picture.shape[-1] - 1)[:, None, :]
    return picture[:, rows, columns].movedim(0, 1).flatten(1)


def _draw_all(
    sources: Sequence[Source], side: int, count: int, generator: torch.Generator
) -> list[tuple[Tensor, Tensor | None]]:
    return [_draw(source, side, max(1, round(count * source.share)), generator) for source in sources]


def _draw(source: Source, side: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Return patches, the later half of them mirrored, and their shares of regions."""
    height, width = source.picture.shape[-2:]
    places = [torch.randint(extent - side + 1, (count,), generator=generator) for extent in (height, width)]
    tops, lefts = (place.to(source.picture.device) for place in places)
    patches = cut(source.picture, tops, lefts, side).unflatten(1, (-1, side, side))
    plain = count // 2
    patches = torch.cat([patches[:plain], patches[plain:].flip(-1)]).flatten(1)
    if source.regions is None:
        return patches, None
    return patches, cut(source.regions, tops, lefts, side).unflatten(1, (-1, side * side)).mean(2)
