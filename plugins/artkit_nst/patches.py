"""Patches as columns of a matrix: on the grid of a picture, and keys, those of a style with their PCA descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor
from torch.nn import functional as F

from artkit_nst.structure import calm_contrast, form_contrast, highest, structure

BAND = 8192  # patches at once
DIMENSIONS = 32  # of a patch's description: with them, most of its variance is kept
REGION_PULL = 3.0  # how far patches of different regions are apart, in standard deviations of descriptions


@dataclass(frozen=True)
class Grid:
    """Patches of `side` pixels, `stride` apart, over `height` x `width`; the first sticks out by `above` and `left`."""

    height: int
    width: int
    side: int
    stride: int
    above: int
    left: int

    @property
    def rows(self) -> int:
        """Rows of patches."""
        return -(-(self.height + self.above) // self.stride)

    @property
    def columns(self) -> int:
        """Columns of patches."""
        return -(-(self.width + self.left) // self.stride)

    def bands(self, patches: int = BAND) -> Iterator[range]:
        """Yield ranges of rows of about `patches` patches each."""
        step = max(1, patches // self.columns)
        for first in range(0, self.rows, step):
            yield range(first, min(first + step, self.rows))

    def covered(self, rows: range) -> tuple[Tensor, Tensor]:
        """Return the pixel rows and columns that some rows of patches cover, held inside the picture."""
        down = torch.arange(rows.start * self.stride, (rows.stop - 1) * self.stride + self.side) - self.above
        across = torch.arange((self.columns - 1) * self.stride + self.side) - self.left
        return down.clamp(0, self.height - 1), across.clamp(0, self.width - 1)

    def strip(self, picture: Tensor, rows: range) -> Tensor:
        """Return the part of CHW that some rows of patches cover, its border going on where they stick out."""
        down, across = (index.to(picture.device) for index in self.covered(rows))
        return picture[:, down[:, None], across]

    def unfold(self, strip: Tensor) -> Tensor:
        """Return the patches (C side side, N) of a strip, row by row."""
        return F.unfold(strip[None], self.side, stride=self.stride)[0]

    def place(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return top and left of patches, which are counted row by row."""
        return index // self.columns * self.stride - self.above, index % self.columns * self.stride - self.left

    def overlapping(self, top: int, bottom: int) -> range:
        """Return the rows of patches that reach into the pixel rows from `top` up to `bottom`."""
        first = max(0, (top + self.above - self.side) // self.stride + 1)
        return range(first, min(self.rows, (bottom - 1 + self.above) // self.stride + 1))


def random_grid(height: int, width: int, side: int, stride: int, generator: torch.Generator) -> Grid:
    """Return a grid at a random offset: grids that never coincide leave no pattern behind."""
    above, left = (side - 1 - int(torch.randint(stride, (), generator=generator)) for _ in "yx")
    return Grid(height, width, side, stride, above, left)


@dataclass(frozen=True)
class Source:
    """A style at one scale: its picture (CHW), its share of the patches, and its regions (RHW in [0, 1]), if any."""

    picture: Tensor
    share: float
    regions: Tensor | None = None

    @cached_property
    def calm(self) -> float:
        """The contrast of the forms in its calmest places."""
        return calm_contrast(self._contrast)

    @cached_property
    def structure(self) -> Tensor:
        """How much more goes on around each pixel than in the calmest places, 1HW in [0, 1]."""
        return structure(self._contrast, self.calm)

    @cached_property
    def _contrast(self) -> Tensor:
        return form_contrast(self.picture)


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
    """Patches of `side` x `side` pixels, a column each (C side side, K), their descriptions (D, K) and structure (K).

    A patch's description is directions^T (patch - mean), followed by its share of each region times REGION_PULL
    `spread`, where `spread` is the standard deviation of descriptions; its structure, in [0, 1], is the highest in it.
    """

    side: int
    patches: Tensor
    descriptions: Tensor
    structure: Tensor
    basis: Basis
    spread: float

    def describe(self, patches: Tensor, regions: Tensor | None) -> Tensor:
        """Describe patches (C side side, N) with shares of regions (R, N) as the keys are described."""
        return self._joined(self.basis.project(patches), regions)

    def describe_all(self, strip: Tensor, regions: Tensor | None, stride: int) -> Tensor:
        """Describe all patches of CHW, `stride` apart, row by row; `regions` are RHW."""
        shares = None if regions is None else F.avg_pool2d(regions[None], self.side, stride)[0].flatten(1)
        return self._joined(self.basis.project_all(strip, self.side, stride), shares)

    def _joined(self, projected: Tensor, regions: Tensor | None) -> Tensor:
        return projected if regions is None else torch.cat([projected, REGION_PULL * self.spread * regions])


def find_basis(sources: Sequence[Source], side: int, count: int, generator: torch.Generator) -> Basis:
    """Analyse about `count` random patches: their mean and principal components."""
    patches, _, _ = _draw_all(sources, side, count, generator)
    mean = patches.mean(1)
    centred = patches - mean[:, None]
    covariance = (centred @ centred.T).numpy(force=True).astype(np.float64)
    most = max(0, len(covariance) - DIMENSIONS), len(covariance) - 1
    _, vectors = eigh(covariance, subset_by_index=most)  # those alone: of large patches in half the time of all
    return Basis(mean, torch.from_numpy(vectors).to(patches))


def collect_keys(sources: Sequence[Source], side: int, count: int, basis: Basis, generator: torch.Generator) -> Keys:
    """Cut about `count` patches at random places of the sources, each as often mirrored as not."""
    patches, structure, regions = _draw_all(sources, side, count, generator)
    described = basis.project(patches)
    spread = float(described.square().sum(0).mean().sqrt())
    if regions is not None:
        described = torch.cat([described, REGION_PULL * spread * regions])
    return Keys(side, patches, described, structure, basis, spread)


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
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return patches (C side side, N) of all sources, their structure (N), and shares of regions (R, N), if any."""
    drawn = [_draw(source, side, max(1, round(count * source.share)), generator) for source in sources]
    patches, structure, _ = zip(*drawn, strict=True)
    regions = [shares for *_, shares in drawn if shares is not None]
    return torch.cat(patches, 1), torch.cat(structure), torch.cat(regions, 1) if regions else None


def _draw(source: Source, side: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return patches, the later half of them mirrored, their structure, and their shares of regions."""
    height, width = source.picture.shape[-2:]
    places = [torch.randint(extent - side + 1, (count,), generator=generator) for extent in (height, width)]
    tops, lefts = (place.to(source.picture.device) for place in places)
    patches = cut(source.picture, tops, lefts, side, count - count // 2)
    structure = highest(source.structure, side)[tops, lefts]
    if source.regions is None:
        return patches, structure, None
    return patches, structure, cut(source.regions, tops, lefts, side).unflatten(0, (-1, side * side)).mean(1)
