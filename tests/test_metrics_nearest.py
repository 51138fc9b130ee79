"""The nearest picture of a set: known distances, places, sizes, and what is refused."""

from __future__ import annotations

import pytest
import torch

from artkit.errors import DataError
from artkit.metrics import find_nearest


def draw(count: int, seed: int, side: int = 32) -> torch.Tensor:
    """Return pictures of noise, coarse enough that cells differ."""
    coarse = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return coarse.repeat_interleave(side // 16, 2).repeat_interleave(side // 16, 3)


def test_copies_are_no_way_from_where_they_came_from() -> None:
    known = draw(5, 0)
    distances, places = find_nearest(known[[3, 1]], known)
    assert distances.tolist() == [0, 0]
    assert places.tolist() == [3, 1]


def test_distances_are_those_of_the_nearest_written_out() -> None:
    made, known = draw(3, 0), draw(6, 1)
    apart = (made[:, None] - known).abs().mean((2, 3, 4))
    distances, places = find_nearest(made, known)
    torch.testing.assert_close(distances, apart.min(1).values)
    assert places.tolist() == apart.argmin(1).tolist()


def test_black_is_farthest_from_white() -> None:
    assert find_nearest(torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 20, 24))[0].tolist() == pytest.approx([1])


def test_sizes_may_differ_and_what_is_finer_than_cells_is_not_seen() -> None:
    small = draw(4, 2, side=16)
    grain = 0.1 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(16, 16)
    distances, places = find_nearest([one + grain for one in draw(4, 2)], list(small))
    assert places.tolist() == [0, 1, 2, 3]
    assert distances.tolist() == pytest.approx([0] * 4, abs=1e-6)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DataError, match="no pictures to compare"):
        find_nearest([], draw(1, 0))
    with pytest.raises(DataError, match="RGB images"):
        find_nearest(draw(1, 0), torch.zeros(1, 1, 8, 8))
