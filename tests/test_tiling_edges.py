"""When pictures are cut, into tiles of which size, and what is said where they cannot be: at each limit and past it."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from artkit.errors import ImageError
from artkit.nn.tiling import (
    MOST_ALIVE,
    PART,
    SMALLEST,
    TILE,
    check_memory,
    fix_tiles,
    in_tiles,
    is_tile,
    limit_memory,
    reach,
    untiled,
    whole_sum,
)


def sizes_of(image, halo=0, multiple=1, alive=3):
    """Return which sizes a part that keeps `alive` maps at a time is computed in."""
    seen = []

    def part(x):
        seen.append(tuple(x.shape[-2:]))
        kept = [x + number for number in range(alive)]
        return kept[0]

    in_tiles(part, image, halo=halo, multiple=multiple)
    return seen


def test_few_pixels_need_no_measuring_and_one_more_does():
    image = torch.zeros(1, 1, 10, 10)
    with limit_memory(100 * MOST_ALIVE / PART):
        assert sizes_of(image) == [(10, 10)]
    with limit_memory(100 * MOST_ALIVE / PART - 1):
        assert sizes_of(image) == [(10, 10), (10, 10)]  # measured, and then computed


def test_what_takes_its_part_of_the_memory_is_computed_as_a_whole_and_what_takes_more_in_tiles():
    """A pixel of two pictures of one channel: 3 maps of 4 bytes are alive, and the input's own 4 count as well."""
    image = torch.zeros(2, 1, 130, 140)
    needed = 2 * 130 * 140 * (3 * 4 + 4)
    with limit_memory(needed / PART):
        assert sizes_of(image) == [(64, 64), (130, 140)]
    with limit_memory(needed / PART - 1):
        assert len(sizes_of(image)) > 2


@pytest.mark.parametrize(("pictures", "halo"), [(1, 0), (1, 5), (4, 5)])
def test_tiles_are_as_large_as_their_part_of_the_memory_takes(pictures, halo):
    """A tile with its halo keeps alive a sixteenth of the memory: side² pixels x 12 bytes x pictures."""
    image, side = torch.zeros(pictures, 1, 400, 390), 100
    memory = side**2 * 12 * pictures / TILE
    with limit_memory(memory):
        seen = sizes_of(image, halo)[1:]
    assert seen[0] == (side - 2 * halo + halo, side - 2 * halo + halo)  # no halo beyond the border
    assert max(max(one) for one in seen) <= side


@pytest.mark.parametrize(("halo", "least"), [(0, SMALLEST), (20, SMALLEST), (40, 80)])
def test_tiles_are_no_smaller_than_their_halo_or_than_makes_sense(halo, least):
    image = torch.zeros(1, 1, 300, 200)
    with limit_memory(1000):
        seen = sizes_of(image, halo)[1:]
    assert seen[0] == (least + halo, least + halo)


def test_a_side_that_was_fixed_holds_where_it_is_less_than_the_picture():
    image = torch.zeros(1, 1, 10, 20)
    for side, first in ((19, (10, 19)), (20, (10, 20)), (21, (10, 20)), (5, (5, 5))):
        with fix_tiles(side) as limits:
            assert sizes_of(image)[0] == first
        assert limits.asked
    with fix_tiles(0):
        assert sizes_of(image) == [(10, 20)]
    with fix_tiles(6):
        assert sizes_of(image[..., :16], multiple=4) == [(10, 16)]  # ten is no multiple of four: as a whole
        assert sizes_of(image[..., :8, :16], multiple=4)[0] == (8, 8)
        with untiled():
            assert sizes_of(image) == [(10, 20)]
        with limit_memory(None):
            assert sizes_of(image)[0] == (6, 6)


def test_what_sees_everything_is_never_cut_and_told_when_there_is_no_room():
    image = torch.zeros(1, 1, 100, 200)
    with limit_memory(100 * 200 * 12 - 1), pytest.raises(ImageError, match=r"give --size 199x99, or set"):
        sizes_of(image, halo=None)
    with limit_memory(100 * 200 * 12):
        assert sizes_of(image, halo=None) == [(64, 64), (100, 200)]
    with fix_tiles(6):
        assert sizes_of(image, halo=None) == [(100, 200)]


def test_the_sentence_of_a_network_that_sees_everything():
    with pytest.raises(ImageError) as caught:
        check_memory(4.04e9, 1.01e9, torch.zeros(1, 1, 90, 120), 8)
    assert str(caught.value) == (
        "this network sees the whole picture at once, and 120x90 pixels take about 4.0 GB where 1.0 GB may be used: "
        "give --size 56x40, or set ARTKIT_MEMORY higher."
    )
    with pytest.raises(ImageError, match=r" about 8000000000.0 GB where 2000000000.0 GB may be used"):
        check_memory(8e18, 2e18, torch.zeros(1, 1, 90, 120), 8)
    check_memory(1.0, 1.0, torch.zeros(1, 1, 90, 120), 8)


def test_tiles_know_that_they_are():
    seen = []
    with fix_tiles(4):
        in_tiles(lambda x: seen.append(is_tile()) or x, torch.zeros(1, 1, 4, 8), halo=0)
        in_tiles(lambda x: seen.append(is_tile()) or x, torch.zeros(1, 1, 4, 4), halo=0)
    assert seen == [True, True, False]
    assert not is_tile()


def test_memory_that_runs_out_of_the_smallest_tiles_is_an_error():
    tried = []

    def greedy(x):
        tried.append(x.shape[-1])
        raise MemoryError

    for halo, last in ((0, [300, 150, 75, 64]), (None, [300])):
        tried.clear()
        with limit_memory(1e12), pytest.raises(MemoryError):
            in_tiles(greedy, torch.zeros(1, 1, 20, 300), halo=halo)
        assert tried == last


def test_maps_of_several_resolutions_are_cut_alike():
    small, large = torch.arange(24.0).view(1, 1, 4, 6), torch.arange(96.0).view(1, 1, 8, 12)

    def part(x, y):
        assert (y.shape[-2], y.shape[-1]) == (2 * x.shape[-2], 2 * x.shape[-1])
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3) * y

    whole = part(small, large)
    for side, halo in product((1, 2, 3, 4, 5), (0, 1)):
        with fix_tiles(side):
            assert torch.equal(in_tiles(part, small, large, halo=halo), whole)


@pytest.mark.parametrize("whole_numbers", [False, True])
def test_sums_are_of_float64_but_for_whole_numbers(whole_numbers):
    image, kinds = torch.ones(1, 1, 6, 7), []
    image = image.long() if whole_numbers else image

    def count(x):
        kinds.append(x.dtype)
        return x.sum()

    for limit in (limit_memory(None), limit_memory(1.0), limit_memory(1e9)):
        with limit:
            assert float(whole_sum(count, image)) == 42
    assert set(kinds) == {torch.int64 if whole_numbers else torch.float64}


def test_sums_outside_of_tiles_are_taken_in_parts_where_memory_is_short():
    image, seen = torch.ones(1, 1, 100, 100), []
    with limit_memory(1000):
        assert float(whole_sum(lambda x: seen.append(tuple(x.shape[-2:])) or x.sum(), image)) == 10_000
    assert seen[1:] == [(64, 64), (64, 36), (36, 64), (36, 36)]


def test_the_reach_of_convolutions():
    assert [reach((3, 1)), reach((4, 1)), reach((5, 1), (3, 0.5)), reach((3, 4)), reach()] == [1, 2, 4, 1, 0]


def test_what_is_put_together_of_tiles_lies_as_networks_want_it():
    image = torch.rand(2, 3, 8, 8)
    with fix_tiles(4):
        assert in_tiles(lambda x: x * 1, image, halo=0).is_contiguous(memory_format=torch.channels_last)
