"""Nearest-neighbour search: which patch of the style goes where.

One that nobody wanted yet is nearer to all, so that the whole style appears; but objects of the style do not come to
places where the photo has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit_nst.patches import Grid, Keys, cut
from artkit_nst.structure import highest

SAMPLE = 1024  # places asked to learn how wanted each patch is
BLOCK = 64  # keys whose least distance is found at once
CHUNK = 128  # places searched at once: their distances to all keys stay in the cache
FEW = 4096  # places up to which an index costs more than it saves
CELLS = 64  # of an index; more find the nearest key more often, and cost more
CANDIDATES = 512  # keys of a cell, a multiple of BLOCK: with them 19 of 20 places get the nearest of 6000
SHARE = 24  # of more keys than that, one in so many
ROUNDS = 3  # of k-means
PRICE = 1.5  # of an object where the photo has none, in scores that a usual key has far from where it fits


@dataclass(frozen=True)
class Queries:
    """Places that look for a key: the descriptions of their patches (D, N), and their structure (N) in [0, 1]."""

    descriptions: Tensor
    structure: Tensor

    def lifted(self) -> Tensor:
        """Return descriptions with their squared lengths, ones and structure below, (D + 3, N)."""
        return torch.cat([_lift(self.descriptions), self.structure[None]])

    def points(self, spread: float) -> Tensor:
        """Return points (D + 1, N) that are far apart where either differs."""
        return torch.cat([self.descriptions, spread * self.structure[None]])


def wantedness(queries: Queries, keys: Keys, completeness: float) -> Tensor:
    """Return for each key the factor of its distances, 1 / (alpha mean(m) + m_k); m_k is its distance to any query.

    After Granot et al. 2022 ("Drop the GAN: in defense of patches nearest neighbors as single image generative
    models"), section 3.1. Differs in that alpha is relative to the mean of m. `completeness` goes from 0 (plain nearest
    neighbours) to 1.
    """
    table = _table(queries.descriptions)
    nearest = torch.cat([(table @ some).amin(0) for some in _lift(keys.descriptions).split(CHUNK, 1)]).clamp(min=0)
    return 1 / (_alpha(completeness) * nearest.mean() + nearest + 1e-8)


def _alpha(completeness: float) -> float:
    return float(10 ** (1 - 3.3 * completeness))


def score_table(keys: Keys, factors: Tensor, completeness: float) -> Tensor:
    """Return rows (K, D + 3) whose products with lifted queries are scores; the key with the least is taken.

    A score is the squared distance times the key's factor, plus PRICE / alpha s_k^4 (1 - s_q), where s_k is the
    structure of the key and s_q that of the place: the price of an object in a sky. It is our own; Image Analogies
    (Hertzmann et al. 2001) would want such a guide drawn. A key that fits somewhere exactly scores 1 / alpha where it
    is mean(m) off, so that the price is worth the same at any completeness. Its fourth power leaves brushwork alone.
    """
    price = PRICE / _alpha(completeness) * keys.structure**4
    table = _table(keys.descriptions) * factors[:, None]
    table[:, -1] += price
    return torch.cat([table, -price[:, None]], 1)


def cell_table(middle: Queries, spread: float) -> Tensor:
    """Return rows (N, D + 3) whose products with lifted queries tell which of N points is nearest to each.

    They are squared distances of `points`, but for (spread s_q)^2, which is the same for all rows.
    """
    heights = spread * middle.structure
    table = _table(middle.descriptions)
    table[:, -1] += heights.square()
    return torch.cat([table, -2 * spread * heights[:, None]], 1)


def nearest_keys(queries: Queries, table: Tensor) -> Tensor:
    """Return for each query the index of the row of a score table with the least score, exactly."""
    table = torch.cat([table, table[-1:].expand(-len(table) % BLOCK, -1)])
    return torch.cat([_first_least(table, some) for some in queries.lifted().split(CHUNK, 1)])


class Index:
    """An inverted file of keys, for approximate search: each query looks only at the candidates of its cell.

    Cells are those of k-means on a sample of the queries; a cell's candidates are the keys whose score at its centre is
    least: CANDIDATES of them, or one in SHARE. There must be more than CANDIDATES keys.
    """

    def __init__(self, sample: Queries, table: Tensor, spread: float) -> None:
        """Take some queries, a score table, and the spread of the keys' descriptions."""
        centres = _k_means(sample.points(spread), CELLS)
        middle = Queries(centres[:-1], centres[-1] / spread)
        self._centres = cell_table(middle, spread)
        count = max(CANDIDATES, len(table) // SHARE // BLOCK * BLOCK)
        self._candidates = (table @ middle.lifted()).topk(count, 0, largest=False).indices.sort(0).values.T
        self._tables = table[self._candidates]

    def nearest(self, queries: Queries) -> Tensor:
        """Return for each query the index of the candidate with the least score."""
        lifted = queries.lifted()
        cells, order = (self._centres @ lifted).argmin(0).sort()
        ends = cells.bincount(minlength=len(self._tables)).cumsum(0).tolist()
        found = torch.empty_like(order)
        for cell, (start, stop) in enumerate(pairwise([0, *ends])):
            for members in order[start:stop].split(CHUNK) if stop > start else ():
                first = _first_least(self._tables[cell], lifted.index_select(1, members))
                found[members] = self._candidates[cell, first]
        return found


def _k_means(points: Tensor, count: int) -> Tensor:
    """Return up to `count` centres (D, count) of points (D, N): a few rounds of Lloyd's algorithm, from evenly spread
    points.
    """
    centres = points[:, :: max(1, points.shape[1] // count)][:, :count]
    for _ in range(ROUNDS):
        nearest = (_table(centres) @ _lift(points)).argmin(0)
        members = F.one_hot(nearest, centres.shape[1]).to(points)
        centres = torch.where(members.sum(0) > 0, points @ members / members.sum(0).clamp(min=1), centres)
    return centres


def _table(points: Tensor) -> Tensor:
    """Return rows (N, D + 2) whose products with what is lifted are squared distances to points (D, N)."""
    return torch.cat([-2 * points, torch.ones_like(points[:1]), points.square().sum(0, keepdim=True)]).T


def _lift(points: Tensor) -> Tensor:
    """Return points (D, N) with their squared lengths and ones below (D + 2, N)."""
    return torch.cat([points, points.square().sum(0, keepdim=True), torch.ones_like(points[:1])])


def _first_least(table: Tensor, lifted: Tensor) -> Tensor:
    """Return the row of a table (a multiple of BLOCK) whose product with each column is least, the first of such.

    It is argmin, which PyTorch does four times slower: here whole rows are compared, eight numbers at a time.
    """
    blocks = (table @ lifted).unflatten(0, (-1, BLOCK))
    block = blocks.amin(1).argmin(0)
    within = blocks[block, :, torch.arange(lifted.shape[1], device=lifted.device)].argmin(1)
    return block * BLOCK + within


def sample_queries(
    picture: Tensor, structure: Tensor, regions: Tensor | None, grid: Grid, keys: Keys, generator: torch.Generator
) -> Queries:
    """Return up to SAMPLE random patches of a whole picture (CHW)."""
    total = grid.rows * grid.columns
    index = torch.randint(total, (min(SAMPLE, total),), generator=generator).to(picture.device)
    places = grid.place(index)
    shares = None if regions is None else cut(regions, *places, grid.side).unflatten(0, (-1, grid.side**2)).mean(1)
    return Queries(keys.describe(cut(picture, *places, grid.side), shares), cut(structure, *places, grid.side).amax(0))


def match(
    picture: Tensor,
    structure: Tensor,
    regions: Tensor | None,
    grid: Grid,
    keys: Keys,
    completeness: float,
    generator: torch.Generator,
) -> Tensor:
    """Return the index of the key for every patch of the grid, row by row: the nearest, or next to it where the places
    are many. `structure` (1HW in [0, 1]) is the photo's, not the picture's: what came to a sky shall not stay there.
    """
    sample = sample_queries(picture, structure, regions, grid, keys, generator)
    table = score_table(keys, wantedness(sample, keys, completeness), completeness)
    many = grid.rows * grid.columns > FEW and len(table) > CANDIDATES
    nearest = Index(sample, table, keys.spread).nearest if many else partial(nearest_keys, table=table)
    found = []
    for rows in grid.bands():
        shares = None if regions is None else grid.strip(regions, rows)
        described = keys.describe_all(grid.strip(picture, rows), shares, grid.stride)
        found.append(
            nearest(Queries(described, highest(grid.strip(structure, rows), grid.side, grid.stride).flatten()))
        )
    return torch.cat(found)
