"""Touchup: the residual's split, the formula, and the translator under the contract."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.ndimage import gaussian_filter

from artkit import Kind, ModelError, ModelHeader
from artkit.nn.tiling import fix_tiles
from artkit.testing import check_spec
from artkit_touchup import SPEC, TouchupOptions
from artkit_touchup.artists import Artist, ArtistArguments, find_places, split_residual, touch_up
from artkit_touchup.translator import Touchup

ARGUMENTS = ArtistArguments(width=8, blocks=1, detail=(4, 4), norm="none", upsample="resize")
HEADER = ModelHeader(
    method="touchup",
    architecture="subpixel",
    arguments=ARGUMENTS.record(),
    inputs={"image": Kind.IMAGE},
    output=Kind.IMAGE,
    size_multiple=4,
    size_margin=16,
)


def make(seed: int = 0, **options: float) -> Touchup:
    torch.manual_seed(seed)
    return Touchup(TouchupOptions(**options), HEADER).eval()


def run(translator: Touchup, image: torch.Tensor) -> torch.Tensor:
    return translator.run({"image": image}, seeds=(0,) * len(image), size=tuple(image.shape[-2:]))


class Pointwise(torch.nn.Module):
    """An artist that looks at one pixel at a time."""

    def __init__(self, amount: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, picture: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return self.amount(picture)


def test_declaration_and_code_agree():
    check_spec(SPEC)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1000))
def test_split_residual_puts_the_target_together_again(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    # Eighths of bytes: their sums and differences are exact in floating point, so the identity must hold to the bit.
    target, generated = torch.randint(0, 2049, (2, 1, 3, height, width), generator=generator) / 2048
    added, taken = split_residual(target, generated)
    assert torch.equal(generated + added - taken, target)
    assert added.min() >= 0
    assert taken.min() >= 0
    assert not (added * taken).any()


@pytest.mark.parametrize(("strength", "add", "subtract"), [(1.0, 1.0, 1.0), (0.5, 2.0, 0.25), (2.0, 0.0, 1.5)])
def test_output_is_the_clipped_combination(strength, add, subtract):
    image = np.random.default_rng(1).random((2, 3, 8, 12), np.float32)
    translator = make(strength=strength, add=add, subtract=subtract, smooth=0.0)
    translator.additive, translator.subtractive = Pointwise(lambda x: x**2), Pointwise(lambda x: 1 - x)
    wanted = np.clip(image + strength * add * image**2 - strength * subtract * (1 - image), 0, 1)
    np.testing.assert_allclose(run(translator, torch.tensor(image)).numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_the_correction_is_smoothed_and_the_picture_is_not(sigma):
    """Compared with scipy's Gaussian, cut off at the same distance."""
    image = torch.rand(2, 3, 40, 48, generator=torch.Generator().manual_seed(1))
    added, taken = image.square(), 1 - image
    correction = (added - 0.5 * taken).double().numpy()
    reach = math.ceil(2.5 * sigma)
    smoothed = gaussian_filter(correction, (0, 0, sigma, sigma), mode="nearest", radius=(0, 0, reach, reach))
    found = touch_up(image, added, taken, 1.0, 0.5, smooth=sigma)
    np.testing.assert_allclose(found.numpy(), image.numpy() + smoothed, atol=1e-5)


def test_the_smoothing_is_the_same_in_tiles():
    image = torch.rand(1, 3, 70, 90, generator=torch.Generator().manual_seed(4))
    whole = touch_up(image, image.square(), 1 - image, smooth=3.0)
    with fix_tiles(16):
        tiled = touch_up(image, image.square(), 1 - image, smooth=3.0)
    assert torch.allclose(tiled, whole, atol=1e-6)


def test_corrections_are_smoothed_unless_told_not_to():
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(2))
    rough, default, two = run(make(smooth=0.0), image), run(make(), image), run(make(smooth=2.2), image)
    assert torch.equal(default, two)
    assert not torch.equal(default, rough)


def test_no_strength_changes_nothing():
    image = torch.rand(1, 3, 9, 7)
    assert torch.equal(run(make(strength=0.0), image), image)


@given(st.integers(1, 33), st.integers(1, 33))
def test_any_size(height, width):
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height * 64 + width))
    output = run(make(), image)
    assert output.shape == image.shape
    assert not torch.equal(output, image)


def test_batch_equals_pictures_one_by_one():
    images, translator = torch.rand(3, 3, 16, 20), make()
    alone = torch.cat([run(translator, image[None]) for image in images])
    torch.testing.assert_close(run(translator, images), alone, rtol=0, atol=1e-6)
    assert torch.equal(run(translator, images), run(translator, images))


def test_artists_never_give_less_than_nothing():
    torch.manual_seed(3)
    artist = Artist(ARGUMENTS)
    artist.network.leave.bias.data.fill_(-5)
    amount = artist(torch.rand(1, 3, 16, 16), find_places(16, 16)[None])
    assert amount.min() >= 0
    assert amount.max() < 1e-3


def test_places_span_the_picture_and_go_on_beyond_it():
    down, right = find_places(4, 2)
    assert down[:, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert right[0].tolist() == [-0.5, 0.5]
    assert torch.equal(find_places(10, 8, margin=3)[:, 3:-3, 3:-3], find_places(4, 2))
    assert find_places(10, 8, margin=3)[0, 0, 0] < -1


def test_artists_see_where_they_are():
    """What a generator that learned from crops cannot know: that the light falls off towards the top."""
    torch.manual_seed(0)
    artist, grey = Artist(ARGUMENTS), torch.full((1, 3, 96, 96), 0.5)
    nowhere, there = (
        artist(grey, places)[0, 0, 32:-32, 48].detach()
        for places in (torch.zeros(1, 2, 96, 96), find_places(96, 96)[None])
    )
    assert float(nowhere[::4].std()) < 1e-6
    assert float(there[::4].std()) > 1e-3


@pytest.mark.parametrize(("change", "message"), [({"in_channels": 3}, "in_channels"), ({"width": 0}, "width")])
def test_a_header_is_checked_before_anything_is_built(change, message):
    header = msgspec.structs.replace(HEADER, arguments=HEADER.arguments | change)
    with pytest.raises(ModelError, match=message):
        Touchup(TouchupOptions(), header)
