"""Seeds mixed from seeds: splitmix64, the same everywhere, and near inputs far apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, strategies as st

from artkit.seeds import mix_seeds

# The first of the two is half of 0xE220A8397B1DCDAF, which Vigna's splitmix64.c gives first from state 0.
REFERENCE = {
    (0,): 8147104208329303767,
    (1,): 5225608189600411232,
    (0, 0): 6017775124710473527,
    (0, 1): 1534736266818221247,
    (7, 2): 8064577666737554293,
    (2**64 - 1,): 8245168133484221968,
}


@pytest.mark.parametrize("numbers", REFERENCE)
def test_seeds_stay_what_they_were(numbers):
    """Pictures that were made with a seed are made again with it, years later."""
    assert mix_seeds(*numbers) == REFERENCE[numbers]


numbers = st.integers(0, 2**64 - 1)


@given(st.lists(numbers, min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 63))
def test_one_bit_changes_about_half_of_all(several, place, bit):
    place %= len(several)
    other = [*several[:place], several[place] ^ 1 << bit, *several[place + 1 :]]
    one, two = mix_seeds(*several), mix_seeds(*other)
    assert 0 <= one < 2**63
    assert 8 <= (one ^ two).bit_count() <= 55


def test_seeds_and_places_that_follow_each_other_never_meet():
    pairs = list(itertools.product(range(100), range(20)))
    assert len({mix_seeds(*pair) for pair in pairs}) == len(pairs)
    assert mix_seeds(1, 2) != mix_seeds(2, 1)
