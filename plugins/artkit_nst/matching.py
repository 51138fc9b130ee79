"""Which patch of the style goes where: the nearest one, but one that nobody wanted yet is nearer to all."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit_nst.grid import Grid
from artkit_nst.keys import Keys, cut

SAMPLE = 2048  # places asked to learn how wanted each patch is
BLOCK = 64  # keys whose least distance is found at once
CHUNK = 1024  # places searched at once: their distances to all patches stay in the cache


def wantedness(queries: Tensor, keys: Keys, completeness: float) -> Tensor:
    """Return for each key the factor of its distances, 1 / (alpha mean(m) + m_k); m_k is its distance to any query.

    After Granot et al. 2022 ("Drop the GAN: in defense of patches nearest neighbors as single image generative
    models"), section 3.1. Differs in that alpha is relative to the mean of m. `completeness` goes from 0 (plain nearest
    neighbours) to 1.
    """
    described = keys.descriptions
    nearest = torch.full((len(described),), torch.inf, device=described.device)
    for some in queries.split(CHUNK):
        apart = torch.addmm(some.square().sum(1, keepdim=True), some, described.T, alpha=-2)
        nearest = torch.minimum(nearest, apart.amin(0))
    nearest = (nearest + described.square().sum(1)).clamp(min=0)
    alpha = 10 ** (1 - 3.3 * completeness)
    return 1 / (alpha * nearest.mean() + nearest + 1e-8)


def nearest_keys(queries: Tensor, keys: Keys, factors: Tensor) -> Tensor:
    """Return for each query (N, D) the index of the key with the least squared distance times its factor."""
    described = keys.descriptions
    table = torch.cat([-2 * described, torch.ones_like(described[:, :1]), described.square().sum(1, keepdim=True)], 1)
    table = table * factors[:, None]
    table = torch.cat([table, table[-1:].expand(-len(table) % BLOCK, -1)]).T.contiguous()
    asked = torch.cat([queries, queries.square().sum(1, keepdim=True), torch.ones_like(queries[:, :1])], 1)
    return torch.cat([_first_least(some @ table) for some in asked.split(CHUNK)])


def _first_least(scores: Tensor) -> Tensor:
    """Return where each row (N, a multiple of BLOCK) is least, first: argmin, which PyTorch does four times slower."""
    blocks = scores.unflatten(1, (-1, BLOCK))
    least = blocks.amin(2).argmin(1)
    within = blocks[torch.arange(len(scores), device=scores.device), least].argmin(1)
    return least * BLOCK + within


def sample_queries(
    picture: Tensor, regions: Tensor | None, grid: Grid, keys: Keys, generator: torch.Generator
) -> Tensor:
    """Return descriptions of up to SAMPLE random patches of a whole picture (CHW)."""
    total = grid.rows * grid.columns
    index = torch.randint(total, (min(SAMPLE, total),), generator=generator).to(picture.device)
    places = grid.place(index)
    shares = None if regions is None else cut(regions, *places, grid.side).unflatten(1, (-1, grid.side**2)).mean(2)
    return keys.describe(cut(picture, *places, grid.side), shares)


def match(
    picture: Tensor, regions: Tensor | None, grid: Grid, keys: Keys, completeness: float, generator: torch.Generator
) -> Tensor:
    """Return the index of the key for every patch of the grid, row by row."""
    factors = wantedness(sample_queries(picture, regions, grid, keys, generator), keys, completeness)
    found = []
    for rows in grid.bands():
        patches = grid.unfold(grid.strip(picture, rows))
        shares = None
        if regions is not None:
            shares = grid.unfold(grid.strip(regions, rows)).unflatten(1, (-1, grid.side**2)).mean(2)
        found.append(nearest_keys(keys.describe(patches, shares), keys, factors))
    return torch.cat(found)
