"""Patch averaging: overlapping patches make a picture, first their mean, then one that trusts more those that agree."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit_nst.patches import BAND, Grid, Keys

AGREEMENT = 0.8  # the norm that the second average minimises: 2 is the mean, 1 the median


def blend(keys: Keys, index: Tensor, grid: Grid, *, reweight: bool = True) -> Tensor:
    """Lay the keys `index` (one for each place of the grid) on the picture and return it, CHW.

    Iteratively re-weighted least squares with one re-weighting (Kwatra et al. 2005, "Texture optimization for
    example-based synthesis", section 3.3), which keeps strokes sharp where the plain average would blur them; only the
    plain average without `reweight`.
    """
    window = _window(grid.side, keys.patches)
    plain = _average(keys, index, grid, window, torch.ones_like(index, dtype=window.dtype))
    if not reweight:
        return plain
    weights = torch.cat([_agreement(plain, keys, index, grid, window, rows) for rows in grid.bands()])
    return _average(keys, index, grid, window, weights)


def _window(side: int, like: Tensor) -> Tensor:
    """Return the weight of each pixel of a patch (side, side): a Gaussian around its middle."""
    offsets = torch.arange(side, dtype=like.dtype, device=like.device) - (side - 1) / 2
    bell = torch.exp(-(offsets**2) / (2 * (side / 3.5) ** 2))
    return torch.outer(bell, bell)


def _average(keys: Keys, index: Tensor, grid: Grid, window: Tensor, weights: Tensor) -> Tensor:
    """Average the patches over the picture, each pixel by its window and each patch by its weight, in bands."""
    step = max(1, BAND // grid.columns) * grid.stride
    shaped = (keys.patches.unflatten(0, (-1, grid.side**2)) * window.view(-1, 1)).flatten(0, 1)
    parts = [
        _average_rows(shaped, index, grid, window, weights, top, min(top + step, grid.height))
        for top in range(0, grid.height, step)
    ]
    return torch.cat(parts, 1)


def _average_rows(
    shaped: Tensor, index: Tensor, grid: Grid, window: Tensor, weights: Tensor, top: int, bottom: int
) -> Tensor:
    """Average the pixel rows from `top` up to `bottom`: every patch that reaches into them counts, in fixed order.

    `shaped` are the keys' patches times the window.
    """
    rows = grid.overlapping(top, bottom)
    here = slice(rows.start * grid.columns, rows.stop * grid.columns)
    patches = shaped.index_select(1, index[here]) * weights[here]
    size = (len(rows) - 1) * grid.stride + grid.side, (grid.columns - 1) * grid.stride + grid.side
    summed = F.fold(patches[None], size, grid.side, stride=grid.stride)[0]
    shares = weights[here].view(1, 1, len(rows), grid.columns)
    total = F.conv_transpose2d(shares, window[None, None], stride=grid.stride)[0]
    first = top + grid.above - rows.start * grid.stride
    return (summed / total)[:, first : first + bottom - top, grid.left : grid.left + grid.width]


def _agreement(plain: Tensor, keys: Keys, index: Tensor, grid: Grid, window: Tensor, rows: range) -> Tensor:
    """Return the weight of each patch in some rows by how little it differs from the plain average beneath it."""
    here = slice(rows.start * grid.columns, rows.stop * grid.columns)
    off = grid.unfold(grid.strip(plain, rows)).sub_(keys.patches.index_select(1, index[here])).square_()
    shares = (window / window.sum()).flatten().repeat(len(plain)) / len(plain)
    return (shares @ off + 1e-4) ** ((AGREEMENT - 2) / 2)
