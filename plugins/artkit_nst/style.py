"""A style made ready: its pictures at any scale, colours and keys, worked out once; and warnings about poor styles."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.seeds import mix_seeds
from artkit_nst.colour import Moments, luma, moments, pooled
from artkit_nst.patches import Basis, Keys, Source, collect_keys, find_basis
from artkit_nst.pyramid import BANDS, band_contrasts, blur, resize

AREA = 0.64  # of the style, for each pixel of the photo, at style_scale=1
MAX_GROWTH = 2.0  # a style is enlarged so far and no further: beyond, it has nothing but blur to offer
MOST_SIZES = 64  # that are kept: a folder may hold photos of any number of sizes
ANALYSED = 1500  # patches, at most, whose principal components are found: more would tell no more
SIDE = 256  # long side at which pictures are judged
TILE = 16  # pixels of a side of what is judged empty or not
EMPTY = 0.08  # of the detail in the busiest tiles: less of it is background out of focus
TOO_EMPTY = 0.3  # share of tiles; paintings have 0.15 at most
SMALL, STRONG = 320, 0.75  # pixels of the long side up to which strength above this dissolves small faces

_log = logging.getLogger("artkit.nst")


class Style:
    """One look, from one picture or several with their shares. `sources` are at the pictures' own size."""

    def __init__(self, sources: Sequence[Source], scale: float = 1.0) -> None:
        self.sources, self.scale = tuple(sources), scale
        self._sources: dict[tuple[int, int], tuple[Source, ...]] = {}
        self._bases: dict[tuple[int, int, int], Basis] = {}
        self._contrasts: dict[tuple[int, int], list[float]] = {}
        self.moments = pooled([moments(source.picture) for source in sources], [s.share for s in sources])

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

    def calm(self, size: tuple[int, int]) -> float:
        """Return the contrast of the forms in the calmest places of the sources at that size."""
        return sum(source.share * source.calm for source in self.at(size))

    def keys(self, size: tuple[int, int], side: int, count: int, turn: int) -> Keys:
        """Draw about `count` patches for a photo of that size; another `turn` draws others, the same one the same."""
        known = (*size, side)
        sources = self.at(size)
        if known not in self._bases:
            self._bases[known] = find_basis(sources, side, min(count, ANALYSED), _generator(*known))
        return collect_keys(sources, side, count, self._bases[known], _generator(*known, turn + 1))

    def contrasts(self, size: tuple[int, int]) -> list[float]:
        """Return the standard deviation of each band of detail, finest first, at that size."""
        if size not in self._contrasts:
            each = [(source.share, band_contrasts(source.picture)) for source in self.at(size)]
            self._contrasts[size] = [sum(share * found[band] for share, found in each) for band in range(len(BANDS))]
        return self._contrasts[size]


def _scaled(source: Source, area: int, scale: float) -> Source:
    height, width = source.picture.shape[-2:]
    factor = min(scale * (AREA * area / (height * width)) ** 0.5, MAX_GROWTH)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    regions = None if source.regions is None else resize(source.regions, size).clamp(0, 1)
    return Source(resize(source.picture, size).clamp(0, 1), source.share, regions)


def _generator(*numbers: int) -> torch.Generator:
    return torch.Generator().manual_seed(mix_seeds(*numbers))


def warn_of_photo(picture: Tensor, number: int) -> None:
    """Say so when style `number` (3HW) looks like a photo of one object: the painting will be pieces of it."""
    if emptiness(picture) > TOO_EMPTY:
        _log.warning(
            "nst: style %d looks like a photo of one thing before a plain background, and the painting may show "
            "pieces of it: a picture that is painted all over makes a better style.",
            number,
        )


def warn_of_smallness(height: int, width: int, strength: float) -> None:
    """Say so when a photo is too small for what is fine in it to survive so much strength."""
    if max(height, width) <= SMALL and strength > STRONG:
        _log.warning(
            "nst: at %d pixels strength=%g dissolves small faces and thin lines: give a larger picture, or less of it.",
            max(height, width),
            strength,
        )


def emptiness(picture: Tensor) -> float:
    """Return the share of a picture (3HW) that has next to none of the fine detail of its busiest parts."""
    factor = SIDE / max(picture.shape[-2:])
    lightness = luma(picture)
    if factor < 1:
        lightness = resize(
            lightness, (max(1, round(picture.shape[-2] * factor)), max(1, round(picture.shape[-1] * factor)))
        )
    detail = (lightness - blur(lightness, 1.0)).square()
    tiles = F.avg_pool2d(detail[None], TILE, ceil_mode=True, count_include_pad=False).sqrt().flatten()
    busy = float(tiles.quantile(0.9))
    return float((tiles < EMPTY * busy).float().mean())
