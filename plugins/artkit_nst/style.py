"""A style made ready: its pictures at any scale, its colours, and what its patches are like, each worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from artkit.seeds import mix_seeds
from artkit_nst.colour import Moments, moments, pooled
from artkit_nst.keys import Basis, Keys, Source, collect_keys, find_basis
from artkit_nst.scales import blur, resize

AREA = 0.64  # of the style, for each pixel of the photo, at style_scale=1
MAX_GROWTH = 2.0  # a style is enlarged so far and no further: beyond, it has nothing but blur to offer
MOST_SIZES = 64  # that are kept: a folder may hold photos of any number of sizes
BANDS = (1.0, 2.0, 4.0)  # sigmas between which contrast is compared


class Style:
    """One look, from one picture or several with their shares. `sources` are at the pictures' own size."""

    def __init__(self, sources: Sequence[Source], scale: float = 1.0) -> None:
        self.sources, self.scale = tuple(sources), scale
        self._sources: dict[tuple[int, int], tuple[Source, ...]] = {}
        self._bases: dict[tuple[int, int, int], Basis] = {}
        self._contrasts: dict[tuple[int, int], list[float]] = {}
        self.moments = pooled([moments(source.picture) for source in sources], [s.share for s in sources])

    @property
    def spread(self) -> float:
        """The standard deviation of its pixels, over all channels."""
        return float(self.moments.covariance.diagonal().mean().clamp(min=0).sqrt())

    def region_moments(self, region: int) -> Moments:
        """Return the colours of one region over all pictures."""
        parts, shares = [], []
        for source in self.sources:
            assert source.regions is not None
            parts.append(moments(source.picture, source.regions[region]))
            shares.append(source.share * float(source.regions[region].mean()))
        total = sum(shares)
        return pooled(parts, [share / total for share in shares])

    def at(self, size: tuple[int, int]) -> tuple[Source, ...]:
        """Return the sources as large as a photo of (height, width) wants them."""
        if len(self._sources) == MOST_SIZES:
            self._forget()
        if size not in self._sources:
            self._sources[size] = tuple(_scaled(source, size[0] * size[1], self.scale) for source in self.sources)
        return self._sources[size]

    def _forget(self) -> None:
        for known in (self._sources, self._bases, self._contrasts):
            known.clear()

    def room(self, size: tuple[int, int]) -> int:
        """Return the shortest side of the sources at that size: patches must be smaller."""
        return min(min(source.picture.shape[-2:]) for source in self.at(size))

    def keys(self, size: tuple[int, int], side: int, count: int, turn: int) -> Keys:
        """Draw about `count` patches for a photo of that size; another `turn` draws others, the same one the same."""
        known = (*size, side)
        sources = self.at(size)
        if known not in self._bases:
            self._bases[known] = find_basis(sources, side, count, _generator(*known))
        return collect_keys(sources, side, count, self._bases[known], _generator(*known, turn + 1))

    def contrasts(self, size: tuple[int, int]) -> list[float]:
        """Return the standard deviation of each band of detail, finest first, at that size."""
        if size not in self._contrasts:
            each = [(source.share, band_contrasts(source.picture)) for source in self.at(size)]
            self._contrasts[size] = [sum(share * found[band] for share, found in each) for band in range(len(BANDS))]
        return self._contrasts[size]


def bands(picture: Tensor) -> list[Tensor]:
    """Split CHW into bands of detail, finest first; they and what is left below add up to the picture."""
    levels = [picture, *(blur(picture, sigma) for sigma in BANDS)]
    return [finer - coarser for finer, coarser in pairwise(levels)]


def band_contrasts(picture: Tensor) -> list[float]:
    """Return the standard deviation of each band of CHW."""
    return [float(band.square().mean().sqrt()) for band in bands(picture)]


def _scaled(source: Source, area: int, scale: float) -> Source:
    height, width = source.picture.shape[-2:]
    factor = min(scale * (AREA * area / (height * width)) ** 0.5, MAX_GROWTH)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    regions = None if source.regions is None else resize(source.regions, size).clamp(0, 1)
    return Source(resize(source.picture, size).clamp(0, 1), source.share, regions)


def _generator(*numbers: int) -> torch.Generator:
    return torch.Generator().manual_seed(mix_seeds(*numbers))
