"""The patch distance: a slow reference, known values, and whether it tells textures apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics import patch_distance


def stripes(seed: int, angle: float, count: int = 4, side: int = 48) -> Tensor:
    """Return images of soft stripes at an angle, each shifted at random: one texture, many pictures."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    phases = torch.rand(count, 1, 1, generator=generator) * 6.28
    waves = torch.sin(0.9 * (x * np.cos(angle) + y * np.sin(angle)) + phases)
    return (0.5 + 0.4 * waves)[:, None].expand(-1, 3, -1, -1)


def every_patch(images: Tensor) -> np.ndarray:
    """Return all 7x7 patches of N3HW images as rows."""
    return torch.nn.functional.unfold(images, 7).movedim(1, 2).reshape(-1, 147).double().numpy()


def test_against_every_patch_and_many_directions() -> None:
    """The sampled distance comes near the one of all patches, each direction's quantiles written out."""
    a, b = stripes(0, 0.3), stripes(1, 1.2) * torch.tensor([1.0, 0.7, 0.5]).reshape(3, 1, 1)
    directions = np.random.default_rng(0).normal(size=(147, 400))
    directions /= np.linalg.norm(directions, axis=0)
    first, second = (np.sort(every_patch(images) @ directions, axis=0) for images in (a, b))
    expected = np.abs(first - second).mean()
    assert patch_distance(a, b, projections=400, patches=8192) == pytest.approx(expected, rel=0.1)


def test_equal_sets_are_zero_apart_and_the_distance_is_symmetric() -> None:
    a, b = stripes(0, 0.3), stripes(1, 1.2)
    assert patch_distance(a, a.clone(), patches=2048) == 0
    assert patch_distance(a, b, patches=2048) == patch_distance(b, a, patches=2048) > 0


def test_shift_of_every_value() -> None:
    """A shift by c moves a projection by c times the sum of a unit direction, 0.8 on average."""
    a = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.5
    assert patch_distance(a, a + 0.25, projections=2000, patches=512) == pytest.approx(0.25 * 0.798, rel=0.05)
    half, whole = (patch_distance(a, a + shift, patches=512) for shift in (0.25, 0.5))
    assert whole == pytest.approx(2 * half, rel=1e-4)


def test_halves_of_a_texture_are_near_and_other_textures_far() -> None:
    texture = stripes(0, 0.3, count=32)
    halves = patch_distance(texture[::2], texture[1::2], patches=8192)
    assert patch_distance(texture[::2], stripes(1, 1.2, count=16), patches=8192) > 5 * halves
    assert patch_distance(texture[::2], texture[1::2].flip(1) * 0.5 + 0.25, patches=8192) > 5 * halves


def test_blur_shows() -> None:
    generator = torch.Generator().manual_seed(5)
    noise = torch.rand(16, 3, 40, 40, generator=generator)
    halves = patch_distance(noise[::2], noise[1::2], patches=8192)
    blurred = torch.nn.functional.avg_pool2d(noise[::2], 3, 1, 1)
    assert patch_distance(blurred, noise[1::2], patches=8192) > 10 * halves


def test_order_of_patches_within_a_patch_matters() -> None:
    """Two sets with the same colours in other places differ: it is no colour histogram."""
    vertical, horizontal = stripes(0, 0.0), stripes(0, np.pi / 2)
    assert patch_distance(vertical, horizontal, patches=4096) > 0.1


def test_seed_decides() -> None:
    a, b = stripes(0, 0.3), stripes(1, 1.2)
    same = [patch_distance(a, b, patches=512, seed=4) for _ in range(2)]
    assert same[0] == same[1] != patch_distance(a, b, patches=512, seed=5)


def test_sets_may_differ_in_count_and_sizes() -> None:
    many = [*stripes(0, 0.3, count=3), *stripes(1, 0.3, count=4, side=31)]
    few = stripes(2, 0.3, count=2, side=40)
    assert patch_distance(many, few, patches=1000) < 0.5 * patch_distance(many, few * 0.3, patches=1000)


def test_more_pictures_than_patches() -> None:
    assert patch_distance(stripes(0, 0.3, count=9, side=8), stripes(1, 0.3, side=7), patches=5) >= 0


def test_global_random_state_is_left_alone() -> None:
    state = torch.get_rng_state()
    patch_distance(stripes(0, 0.3), stripes(1, 0.3), patches=64)
    assert torch.equal(torch.get_rng_state(), state)


def test_wrong_input_is_named() -> None:
    with pytest.raises(DataError, match="at least 7 pixels a side, not 9x6"):
        patch_distance(torch.rand(1, 3, 6, 9), torch.rand(1, 3, 9, 9))
    with pytest.raises(DataError, match="no pictures"):
        patch_distance([], stripes(0, 0.3))
