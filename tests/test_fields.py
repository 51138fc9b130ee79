"""The cache of random fields: what it keeps, for how long, and that nobody can spoil it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from artkit.nn.fields import TensorCache
from artkit.nn.noise import stroke_noise


class _Maker:
    """Makes tensors of four numbers, 16 bytes, and counts."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __call__(self, key: int) -> torch.Tensor:
        self.made.append(key)
        return torch.full((4,), float(key))


def test_a_key_is_made_once_and_the_least_used_goes_first() -> None:
    cache, make = TensorCache(limit=2 * 16), _Maker()
    for key in (1, 2, 1, 3, 1, 2):
        assert cache.get(key, lambda key=key: make(key)).tolist() == [key] * 4
    assert make.made == [1, 2, 3, 2]
    assert cache.size == 2 * 16


def test_what_is_larger_than_the_limit_is_not_kept() -> None:
    cache, make = TensorCache(limit=15), _Maker()
    cache.get(1, lambda: make(1))
    cache.get(1, lambda: make(1))
    assert (make.made, cache.size) == ([1, 1], 0)


def test_callers_cannot_change_what_is_kept() -> None:
    cache, make = TensorCache(limit=1000), _Maker()
    for _ in range(3):
        value = cache.get(5, lambda: make(5))
        assert value.tolist() == [5] * 4
        value.zero_()
    noise = stroke_noise(16, 24, 3)
    kept = noise.clone()
    noise.zero_()
    assert torch.equal(stroke_noise(16, 24, 3), kept)


def test_a_field_that_inference_drew_serves_in_training() -> None:
    with torch.inference_mode():
        first = stroke_noise(12, 20, 77)
    weight = torch.ones(1, requires_grad=True)
    noise = stroke_noise(12, 20, 77)
    (noise * weight).sum().backward()  # raises for a tensor of inference mode
    assert torch.equal(first, noise)
    assert weight.grad is not None
    assert torch.allclose(weight.grad, noise.sum())


def test_fields_of_other_sizes_seeds_and_layers_are_others() -> None:
    assert stroke_noise(12, 20, 1).shape == (11, 12, 20)
    assert stroke_noise(20, 12, 1).shape == (11, 20, 12)
    assert stroke_noise(12, 20, 1, centres=True).shape == (17, 12, 20)
    assert not torch.equal(stroke_noise(12, 20, 1), stroke_noise(12, 20, 2))


@pytest.mark.parametrize("limit", [0, 3 * 16, 1000])
def test_threads_share_it(limit: int) -> None:
    cache, make = TensorCache(limit), _Maker()
    keys = [number % 7 for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda key: cache.get(key, lambda: make(key)).mul_(2), keys))
    assert [value.tolist() for value in values] == [[2.0 * key] * 4 for key in keys]
    assert cache.size <= limit
