"""Nearest-neighbour search: which patch of the style goes where; one that nobody wanted yet is nearer to all."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit_nst.patches import Grid, Keys, cut

SAMPLE = 2048  # places asked to learn how wanted each patch is
BLOCK = 64  # keys whose least distance is found at once
CHUNK = 128  # places searched at once: their distances to all keys stay in the cache
FEW = 4096  # places up to which an index costs more than it saves
CELLS = 64  # of an index; more find the nearest key more often, and cost more
CANDIDATES = 1024  # keys of a cell, a multiple of BLOCK: with them 19 of 20 places get the nearest of 6000
ROUNDS = 3  # of k-means


def wantedness(queries: Tensor, keys: Keys, completeness: float) -> Tensor:
    """Return for each key the factor of its distances, 1 / (alpha mean(m) + m_k); m_k is its distance to any query.

    After Granot et al. 2022 ("Drop the GAN: in defense of patches nearest neighbors as single image generative
    models"), section 3.1. Differs in that alpha is relative to the mean of m. `completeness` goes from 0 (plain nearest
    neighbours) to 1.
    """
    table = _table(queries)
    nearest = torch.cat([(table @ some).amin(0) for some in _lift(keys.descriptions).split(CHUNK, 1)]).clamp(min=0)
    alpha = 10 ** (1 - 3.3 * completeness)
    return 1 / (alpha * nearest.mean() + nearest + 1e-8)


def nearest_keys(queries: Tensor, keys: Keys, factors: Tensor) -> Tensor:
    """Return for each query (D, N) the index of the key with the least squared distance times its factor, exactly."""
    table = _table(keys.descriptions) * factors[:, None]
    table = torch.cat([table, table[-1:].expand(-len(table) % BLOCK, -1)])
    return torch.cat([_first_least(table, some) for some in _lift(queries).split(CHUNK, 1)])


class Index:
    """An inverted file of keys, for approximate search: each query looks only at the candidates of its cell.

    Cells are those of k-means on a sample of the queries; a cell's candidates are the CANDIDATES keys whose distance to
    its centre, times their factor, is least. There must be that many keys.
    """

    def __init__(self, sample: Tensor, keys: Keys, factors: Tensor) -> None:
        """Take some queries (D, N), the keys, and the factors (K) of their distances."""
        table, centres = _table(keys.descriptions) * factors[:, None], _k_means(sample, CELLS)
        self._centres = _table(centres)
        self._candidates = (table @ _lift(centres)).topk(CANDIDATES, 0, largest=False).indices.sort(0).values.T
        self._tables = table[self._candidates]

    def nearest(self, queries: Tensor) -> Tensor:
        """Return for each query (D, N) the index of the candidate with the least squared distance times its factor."""
        lifted = _lift(queries)
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
    picture: Tensor, regions: Tensor | None, grid: Grid, keys: Keys, generator: torch.Generator
) -> Tensor:
    """Return descriptions (D, N) of up to SAMPLE random patches of a whole picture (CHW)."""
    total = grid.rows * grid.columns
    index = torch.randint(total, (min(SAMPLE, total),), generator=generator).to(picture.device)
    places = grid.place(index)
    shares = None if regions is None else cut(regions, *places, grid.side).unflatten(0, (-1, grid.side**2)).mean(1)
    return keys.describe(cut(picture, *places, grid.side), shares)


def match(
    picture: Tensor, regions: Tensor | None, grid: Grid, keys: Keys, completeness: float, generator: torch.Generator
) -> Tensor:
    """Return the index of the key for every patch of the grid, row by row: the nearest, or next to it where the places
    are many.
    """
    sample = sample_queries(picture, regions, grid, keys, generator)
    factors = wantedness(sample, keys, completeness)
    many = grid.rows * grid.columns > FEW and len(factors) > CANDIDATES
    nearest = Index(sample, keys, factors).nearest if many else partial(nearest_keys, keys=keys, factors=factors)
    found = []
    for rows in grid.bands():
        shares = None if regions is None else grid.strip(regions, rows)
        found.append(nearest(keys.describe_all(grid.strip(picture, rows), shares, grid.stride)))
    return torch.cat(found)
