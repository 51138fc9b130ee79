"""nst's search: wantedness, the nearest keys, the index, and the price of an object where the photo has none."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st

from artkit_nst.matching import PRICE, Index, Queries, cell_table, match, nearest_keys, score_table, wantedness
from artkit_nst.patches import Keys, Source, collect_keys, find_basis, random_grid
from artkit_nst.pyramid import blur


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def style_keys(side: int, count: int, size: int = 30) -> Keys:
    """Return keys of a style of noise, coarse and fine, with a bright square in it."""
    style = blur(torch.rand(3, size, size, generator=random(0)), 1.0) + 0.03 * torch.rand(
        3, size, size, generator=random(7)
    )
    style[:, : size // 3, : size // 3] += 0.5
    basis = find_basis([Source(style, 1.0)], side, count, random(1))
    return collect_keys([Source(style, 1.0)], side, count, basis, random(2))


def asked(keys: Keys, count: int) -> Queries:
    """Return queries of noise, some of them in places without structure and some in the midst of it."""
    noise, calm = torch.rand(len(keys.patches), count, generator=random(3)), torch.rand(count, generator=random(4))
    return Queries(keys.describe(noise, None), (2 * calm - 0.5).clamp(0, 1))


def slow_nearest(queries: Queries, keys: Keys, factors: torch.Tensor, price: float) -> tuple[torch.Tensor, ...]:
    """Return the index of the nearest keys and all scores, one query at a time."""
    scores = torch.stack(
        [
            factors * (query[:, None] - keys.descriptions).square().sum(0) + price * keys.structure**4 * (1 - busy)
            for query, busy in zip(queries.descriptions.T, queries.structure, strict=True)
        ]
    )
    return scores.argmin(1), scores


def test_wantedness_agrees_with_its_formula():
    keys = style_keys(5, 200)
    queries = asked(keys, 50)
    apart = torch.cdist(keys.descriptions.T.double(), queries.descriptions.T.double()).square().amin(1)
    for completeness, alpha in ((0.0, 10), (1.0, 10**-2.3)):
        wanted = 1 / (alpha * apart.mean() + apart)
        assert torch.allclose(wantedness(queries, keys, completeness).double(), wanted, rtol=1e-3)


@pytest.mark.parametrize(("completeness", "price"), [(0.0, PRICE / 10), (1.0, PRICE / 10**-2.3)])
def test_nearest_keys_agree_with_brute_force(completeness, price):
    keys = style_keys(5, 200)
    queries = asked(keys, 200)
    factors = wantedness(queries, keys, completeness)
    nearest, scores = slow_nearest(queries, keys, factors, price)
    found = nearest_keys(queries, score_table(keys, factors, completeness))
    assert torch.allclose(scores.gather(1, found[:, None])[:, 0], scores.amin(1), rtol=1e-3)
    assert float((found == nearest).float().mean()) > 0.95
    assert float((slow_nearest(queries, keys, factors, 0.0)[0] == nearest).float().mean()) < 0.9


def test_an_index_finds_what_brute_force_finds_or_next_to_it():
    """Of 3000 keys each cell looks at a third: nine of ten queries get the nearest, others one no 5 % farther."""
    keys = style_keys(7, 3000, 80)
    photo = 0.5 * blur(torch.rand(3, 60, 60, generator=random(5)), 1.0)
    photo[:, 20:40, 20:40] += 0.2
    places = random_grid(60, 60, 7, 1, random(6))
    described = torch.cat([keys.describe_all(places.strip(photo, rows), None, 1) for rows in places.bands()], 1)
    busy = (torch.arange(described.shape[1]) % 300 / 200).clamp(max=1)
    queries, sample = Queries(described, busy), Queries(described[:, ::3], busy[::3])
    factors = wantedness(sample, keys, 0.7)
    found = Index(sample, score_table(keys, factors, 0.7), keys.spread).nearest(queries)
    nearest, scores = slow_nearest(queries, keys, factors, PRICE / 10 ** (1 - 3.3 * 0.7))
    assert float((found == nearest).float().mean()) > 0.9
    score, least = (scores.gather(1, index[:, None]).mean() for index in (found, nearest))
    assert float(score) < 1.05 * float(least)


@pytest.mark.parametrize(("candidates", "share"), [(128, 24), (64, 1)])
def test_an_index_whose_cells_hold_every_key_is_exact(monkeypatch, candidates, share):
    """Cells hold so many candidates, or one in so many of more keys."""
    monkeypatch.setattr("artkit_nst.matching.CANDIDATES", candidates)
    monkeypatch.setattr("artkit_nst.matching.SHARE", share)
    keys = style_keys(5, 128)
    queries = asked(keys, 300)
    table = score_table(keys, wantedness(queries, keys, 0.7), 0.7)
    assert torch.equal(Index(queries, table, keys.spread).nearest(queries), nearest_keys(queries, table))


def test_a_cell_is_that_of_the_nearest_point():
    keys = style_keys(5, 128)
    queries, middle = asked(keys, 200), asked(keys, 24)
    middle = Queries(middle.descriptions.roll(1, 1) * 0.2, middle.structure)  # so that structure decides too
    apart = torch.cdist(queries.points(2.0).T.double(), middle.points(2.0).T.double())
    assert torch.equal((cell_table(middle, 2.0) @ queries.lifted()).argmin(0), apart.argmin(1))


@given(st.integers(1, 200), st.integers(0, 20))
def test_the_first_of_equal_keys_is_nearest(count, seed):
    """Many keys alike: the index is that of argmin, whatever the number of keys."""
    described = torch.randint(2, (3, count), generator=random(seed)).float()
    basis = find_basis([Source(torch.rand(3, 9, 9), 1.0)], 1, 10, random(0))
    keys = Keys(1, described, described, torch.zeros(count), basis, 1.0)
    queries = Queries(torch.randint(2, (3, 7), generator=random(seed + 1)).float(), torch.zeros(7))
    nearest, _ = slow_nearest(queries, keys, torch.ones(count), 0.0)
    assert torch.equal(nearest_keys(queries, score_table(keys, torch.ones(count), 0.7)), nearest)


def test_an_object_comes_where_the_photo_has_one_and_nowhere_else():
    """Two keys of which the nearer is an object: a calm place takes the other, a busy one the nearer."""
    described = torch.tensor([[0.0, 1.0]])
    basis = find_basis([Source(torch.rand(3, 9, 9), 1.0)], 1, 10, random(0))
    keys = Keys(1, described, described, torch.tensor([1.0, 0.0]), basis, 1.0)
    queries = Queries(torch.tensor([[0.1, 0.1]]), torch.tensor([0.0, 1.0]))
    assert nearest_keys(queries, score_table(keys, torch.ones(2), 0.7)).tolist() == [1, 0]


def test_completeness_spreads_the_choice():
    """Over a flat photo plain neighbours take one patch everywhere; complete ones take many."""
    style = torch.rand(3, 40, 40, generator=random(0))
    basis = find_basis([Source(style, 1.0)], 5, 300, random(1))
    keys = collect_keys([Source(style, 1.0)], 5, 300, basis, random(2))
    flat, calm = 0.5 + 0.05 * torch.randn(3, 40, 40, generator=random(3)), torch.zeros(1, 40, 40)
    places = random_grid(40, 40, 5, 2, random(4))
    plain, complete = (len(match(flat, calm, None, places, keys, share, random(5)).unique()) for share in (0.0, 1.0))
    assert complete > 2 * plain
