"""What the style offers at one scale: patches of it, and a short description of each to search by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

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

    def project(self, patches: Tensor) -> Tensor:
        """Return the principal components (D, N) of patches (C side side, N)."""
        return torch.addmm(-(self.mean @ self.directions)[:, None], self.directions.T, patches)

    def project_all(self, strip: Tensor, side: int, stride: int) -> Tensor:
        """Return those of all patches of CHW, row by row: a convolution, so that no patch is ever copied."""
        filters = self.directions.T.unflatten(1, (-1, side, side))
        return F.conv2d(strip[None], filters, -(self.mean @ self.directions), stride=stride)[0].flatten(1)


@dataclass(frozen=True)
class Keys:
    """Patches of `side` x `side` pixels, a column each (C side side, K), and their descriptions (D, K).

    A patch's description is directions^T (patch - mean), followed by its share of each region times `pull`.
    """

    side: int
    patches: Tensor
    descriptions: Tensor
    basis: Basis
    pull: float

    def describe(self, patches: Tensor, regions: Tensor | None) -> Tensor:
        """Describe patches (C side side, N) with shares of regions (R, N) as the keys are described."""
        return self._joined(self.basis.project(patches), regions)

    def describe_all(self, strip: Tensor, regions: Tensor | None, stride: int) -> Tensor:
        """Describe all patches of CHW, `stride` apart, row by row; `regions` are RHW."""
        shares = None if regions is None else F.avg_pool2d(regions[None], self.side, stride)[0].flatten(1)
        return self._joined(self.basis.project_all(strip, self.side, stride), shares)

    def _joined(self, projected: Tensor, regions: Tensor | None) -> Tensor:
        return projected if regions is None else torch.cat([projected, self.pull * regions])


def find_basis(sources: Sequence[Source], side: int, count: int, generator: torch.Generator) -> Basis:
    """Analyse about `count` random patches: their mean and principal components."""
    patches, _ = _draw_all(sources, side, count, generator)
    mean = patches.mean(1)
    centred = patches - mean[:, None]
    _, vectors = torch.linalg.eigh((centred @ centred.T).cpu().double())
    return Basis(mean, vectors[:, -DIMENSIONS:].to(patches))


def collect_keys(sources: Sequence[Source], side: int, count: int, basis: Basis, generator: torch.Generator) -> Keys:
    """Cut about `count` patches at random places of the sources, each as often mirrored as not."""
    patches, regions = _draw_all(sources, side, count, generator)
    described = basis.project(patches)
    pull = REGION_PULL * float(described.square().sum(0).mean().sqrt())
    if regions is not None:
        described = torch.cat([described, pull * regions])
    return Keys(side, patches, described, basis, pull)


def cut(picture: Tensor, tops: Tensor, lefts: Tensor, side: int, mirrored: int = 0) -> Tensor:
    """Return the patches (C side side, N) of CHW at the given places; beyond its border the border goes on.

    The last `mirrored` of them are mirror images.
    """
    within = torch.arange(side, device=picture.device)[:, None]
    across = within.expand(-1, len(lefts)).clone()
    across[:, len(lefts) - mirrored :] = within.flip(0)
    rows = (tops + within).clamp(0, picture.shape[-2] - 1)
    columns = (lefts + across).clamp(0, picture.shape[-1] - 1)
    places = (rows * picture.shape[-1])[:, None] + columns
    return picture.flatten(1).index_select(1, places.flatten()).view(-1, len(tops))


def _draw_all(
    sources: Sequence[Source], side: int, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Return patches (C side side, N) of all sources, and their shares of regions (R, N) where there are regions."""
    drawn = [_draw(source, side, max(1, round(count * source.share)), generator) for source in sources]
    regions = [shares for _, shares in drawn if shares is not None]
    return torch.cat([patches for patches, _ in drawn], 1), torch.cat(regions, 1) if regions else None


def _draw(source: Source, side: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Return patches, the later half of them mirrored, and their shares of regions."""
    height, width = source.picture.shape[-2:]
    places = [torch.randint(extent - side + 1, (count,), generator=generator) for extent in (height, width)]
    tops, lefts = (place.to(source.picture.device) for place in places)
    patches = cut(source.picture, tops, lefts, side, count - count // 2)
    if source.regions is None:
        return patches, None
    return patches, cut(source.regions, tops, lefts, side).unflatten(0, (-1, side * side)).mean(1)
