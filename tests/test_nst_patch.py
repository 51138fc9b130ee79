"""nst's engine `patch`: small pictures, known colours, the same bits, and every size and flatness there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.linalg import sqrtm

from artkit.metrics import patch_distance
from artkit_nst.blending import blend
from artkit_nst.colour import MAX_GAIN, keep_luminance, keep_palette, luma, moments, pooled, transport
from artkit_nst.importance import FLOOR, saliency
from artkit_nst.painting import EFFORTS, Effort, Journal, Painter, find_looseness
from artkit_nst.patches import REGION_PULL, Grid, Keys, Source, collect_keys, cut, find_basis, random_grid
from artkit_nst.pyramid import blur, level_sizes, resize
from artkit_nst.style import Style

QUICK = Effort(1, 400, ((9, 4), (5, 2)), 2, reweight=True, steps=1)


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stripes(height: int, width: int, period: int = 6) -> torch.Tensor:
    """Return a style of slanted stripes in two colours."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    wave = ((rows + columns) % period < period / 2).float()
    return torch.stack([0.9 * wave, 0.2 + 0.3 * wave, 0.8 - 0.7 * wave])


def scene(height: int, width: int) -> torch.Tensor:
    """Return a photo: a bright disc on a slope of grey."""
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    disc = (rows**2 + columns**2 < 0.3).float()
    return (0.3 + 0.2 * columns + 0.4 * disc).clamp(0, 1).expand(3, -1, -1).contiguous()


def painter(style: torch.Tensor, *, strength: float = 0.5, effort: Effort = QUICK, scale: float = 1.0) -> Painter:
    return Painter(Style([Source(style, 1.0)], scale), find_looseness(strength, 0.7), effort)


# -- colours ---------------------------------------------------------------------------------------------


def test_transport_gives_the_target_its_moments():
    photo, style = torch.rand(3, 20, 30, generator=random(0)), stripes(40, 40)
    carried = transport(photo, moments(photo), moments(style))
    assert torch.allclose(moments(carried).mean, moments(style).mean, atol=1e-4)
    assert torch.allclose(moments(carried).covariance, moments(style).covariance, atol=2e-3)


def test_transport_agrees_with_the_closed_form():
    """Pitié and Kokaram 2007: S^-1/2 (S^1/2 D S^1/2)^1/2 S^-1/2, by scipy's matrix roots, where no gain is too much."""
    mixing = torch.tensor([[0.5, 0.2, 0.1], [0.1, 0.4, 0.3], [0.0, 0.2, 0.6]])
    photo = torch.rand(3, 20, 30, generator=random(0))
    style = torch.einsum("dc,chw->dhw", mixing, torch.rand(3, 25, 25, generator=random(1)))
    pixels, goal = photo.flatten(1).double().numpy(), style.flatten(1).double().numpy()
    spread = sqrtm(np.cov(pixels, bias=True))
    inverse = np.linalg.inv(spread)
    linear = inverse @ sqrtm(spread @ np.cov(goal, bias=True) @ spread) @ inverse
    wanted = linear @ (pixels - pixels.mean(1, keepdims=True)) + goal.mean(1, keepdims=True)
    assert np.allclose(transport(photo, moments(photo), moments(style)).flatten(1), wanted, atol=1e-3)


def test_luminance_keeps_the_smeared_colours_and_the_moments_of_lightness():
    photo, painted = torch.rand(3, 24, 20, generator=random(0)) / 2 + 0.25, torch.rand(1, 24, 20, generator=random(1))
    kept = keep_luminance(photo, painted)
    grey = 0.299 * photo[0] + 0.587 * photo[1] + 0.114 * photo[2]
    fitted = (painted[0] - painted.mean()) * (grey.std() / painted.std()) + grey.mean()
    wanted = (fitted + blur(photo - grey, 1.0)).clamp(0, 1)
    assert torch.allclose(kept, wanted, atol=2e-3)


def test_palette_is_transport_to_the_colours_of_the_photo():
    photo, painted = 0.3 + 0.3 * torch.rand(3, 24, 20, generator=random(0)), torch.rand(3, 24, 20, generator=random(1))
    kept = keep_palette(photo, (painted + painted.roll(1, 0)) / 2)
    assert torch.allclose(kept.mean((1, 2)), photo.mean((1, 2)), atol=1e-3)
    assert np.allclose(np.cov(kept.flatten(1)), np.cov(photo.flatten(1)), atol=2e-4)


def test_transport_leaves_a_picture_with_the_right_colours_alone():
    photo = torch.rand(3, 20, 30, generator=random(0))
    assert torch.allclose(transport(photo, moments(photo), moments(photo)), photo, atol=1e-4)


def test_transport_amplifies_nothing_beyond_its_limit():
    faint = 0.5 + 1e-3 * torch.randn(3, 30, 30, generator=random(0))
    carried = transport(faint, moments(faint), moments(stripes(30, 30)))
    assert float(carried.std()) < 1.5 * MAX_GAIN * 1e-3 + float(carried.mean((1, 2)).std())


def test_moments_with_weights_and_mixtures_agree_with_numpy():
    picture = torch.rand(3, 8, 8, generator=random(1))
    left = torch.zeros(8, 8)
    left[:, :4] = 1
    found = moments(picture, left)
    wanted = picture[:, :, :4].flatten(1).double().numpy()
    assert np.allclose(found.mean, wanted.mean(1), atol=1e-6)
    assert np.allclose(found.covariance, np.cov(wanted, bias=True), atol=1e-6)
    whole = pooled([found, moments(picture, 1 - left)], [0.5, 0.5])
    assert np.allclose(whole.covariance, moments(picture).covariance, atol=1e-6)


# -- scales and saliency ---------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_levels_end_with_the_picture_itself_and_grow(height, width):
    sizes = level_sizes(height, width)
    assert sizes[-1] == (height, width)
    assert all(small[0] * small[1] <= large[0] * large[1] for small, large in pairwise(sizes))
    assert all(max(size) >= 64 and min(size) >= 24 for size in sizes[:-1])


def test_blur_keeps_a_flat_picture_and_the_mean_of_noise():
    assert torch.allclose(blur(torch.full((2, 1, 9), 0.3), 2.0), torch.full((2, 1, 9), 0.3), atol=1e-6)
    noise = torch.rand(1, 64, 64, generator=random(0))
    assert abs(float(blur(noise, 1.5).mean() - noise.mean())) < 0.01


def test_saliency_is_high_at_edges_and_at_its_floor_where_nothing_is():
    found = saliency(scene(64, 64))[0]
    assert float(found.max()) == 1
    assert float(found[2, 2]) < 0.2
    assert torch.equal(saliency(torch.full((3, 9, 9), 0.4)), torch.full((1, 9, 9), FLOOR))


# -- grid, keys, blending --------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([(15, 5), (9, 3), (7, 2), (3, 3)]), st.integers(0, 99))
def test_every_pixel_is_covered_and_strips_agree_with_cutting(height, width, patch, seed):
    places = random_grid(height, width, *patch, random(seed))
    picture = torch.rand(2, height, width, generator=random(seed))
    covered = torch.zeros(height, width)
    tops, lefts = places.place(torch.arange(places.rows * places.columns))
    for top, left in zip(tops.tolist(), lefts.tolist(), strict=True):
        covered[max(top, 0) : top + patch[0], max(left, 0) : left + patch[0]] += 1
    assert float(covered.min()) >= 1
    strips = [places.unfold(places.strip(picture, rows)) for rows in places.bands(7)]
    assert torch.equal(torch.cat(strips, 1), cut(picture, tops, lefts, patch[0]))


def test_keys_are_patches_of_the_style_or_their_mirror_images():
    style = torch.rand(3, 12, 11, generator=random(0))
    basis = find_basis([Source(style, 1.0)], 5, 50, random(1))
    keys = collect_keys([Source(style, 1.0)], 5, 50, basis, random(2))
    tops, lefts = (index.flatten() for index in torch.meshgrid(torch.arange(8), torch.arange(7), indexing="ij"))
    every = cut(style, tops, lefts, 5).T
    every = torch.cat([every, every.unflatten(1, (3, 5, 5)).flip(-1).flatten(1)])
    found = [(every == patch).all(1).nonzero()[0] for patch in keys.patches.T]
    assert bool((torch.cat(found[:25]) < 56).all())
    assert bool((torch.cat(found[25:]) >= 56).all())


def style_keys(side: int, count: int, size: int = 30) -> Keys:
    """Return keys of a style of noise, coarse and fine."""
    style = blur(torch.rand(3, size, size, generator=random(0)), 1.0) + 0.1 * stripes(size, size)
    basis = find_basis([Source(style, 1.0)], side, count, random(1))
    return collect_keys([Source(style, 1.0)], side, count, basis, random(2))


@pytest.mark.parametrize(("side", "stride"), [(5, 2), (7, 1), (4, 4)])
def test_describing_a_strip_is_describing_its_patches(side, stride):
    """A convolution and a mean over windows, against patches that are cut out one by one."""
    style, regions = torch.rand(3, 30, 30, generator=random(0)), torch.rand(2, 30, 30, generator=random(1))
    sources = [Source(style, 1.0, regions)]
    keys = collect_keys(sources, side, 60, find_basis(sources, side, 60, random(2)), random(3))
    tops, lefts = (i.flatten() for i in torch.meshgrid(*[torch.arange(0, 31 - side, stride)] * 2, indexing="ij"))
    patches = torch.stack([style[:, y : y + side, x : x + side].flatten() for y, x in zip(tops, lefts, strict=True)])
    shares = [regions[:, y : y + side, x : x + side].mean((1, 2)) for y, x in zip(tops, lefts, strict=True)]
    projected = (patches - keys.basis.mean) @ keys.basis.directions
    wanted = torch.cat([projected, REGION_PULL * keys.spread * torch.stack(shares)], 1)
    assert torch.allclose(keys.describe_all(style, regions, stride), wanted.T, atol=1e-4)
    assert torch.allclose(keys.describe(patches.T, torch.stack(shares, 1)), wanted.T, atol=1e-4)


def test_blending_patches_of_a_picture_gives_the_picture_back():
    picture = torch.rand(3, 23, 17, generator=random(0))
    places = random_grid(23, 17, 7, 2, random(1))
    count = places.rows * places.columns
    patches = cut(picture, *places.place(torch.arange(count)), 7)
    keys = Keys(7, patches, patches, torch.zeros(count), find_basis([Source(picture, 1.0)], 7, 50, random(0)), 1.0)
    assert torch.allclose(blend(keys, torch.arange(count), places), picture, atol=1e-5)


def slow_blend(keys: Keys, index: torch.Tensor, places: Grid) -> torch.Tensor:
    """Average patches pixel by pixel: by a Gaussian window, then once more by window and agreement with the first."""
    offsets = torch.arange(places.side) - (places.side - 1) / 2
    bell = torch.exp(-(offsets**2) / (2 * (places.side / 3.5) ** 2))
    window, patches = torch.outer(bell, bell), keys.patches[:, index].T.unflatten(1, (3, places.side, places.side))
    corners = list(zip(*(place.tolist() for place in places.place(torch.arange(len(index)))), strict=True))

    def average(weights):
        summed, total = torch.zeros(3, 90, 90), torch.zeros(90, 90)
        for patch, weight, (top, left) in zip(patches, weights, corners, strict=True):
            spot = slice(20 + top, 20 + top + places.side), slice(20 + left, 20 + left + places.side)
            summed[:, *spot] += weight * window * patch
            total[spot] += weight * window
        return (summed / total)[:, 20 : 20 + places.height, 20 : 20 + places.width]

    plain = average(torch.ones(len(index)))
    beneath = cut(plain, *places.place(torch.arange(len(index))), places.side).T.unflatten(1, patches.shape[1:])
    off = ((beneath - patches).square().mean(1) * window).sum((1, 2)) / window.sum()
    return average((off + 1e-4) ** -0.6)


def test_blending_agrees_with_averaging_pixel_by_pixel():
    keys, places = style_keys(5, 80), random_grid(23, 31, 5, 2, random(1))
    index = torch.randint(80, (places.rows * places.columns,), generator=random(2))
    assert torch.allclose(blend(keys, index, places), slow_blend(keys, index, places), atol=1e-5)


# -- the whole -------------------------------------------------------------------------------------------


def test_the_same_call_gives_the_same_bits_and_another_seed_another_picture():
    photo, style = scene(48, 64), stripes(60, 60)
    first = painter(style).paint(photo, 1)
    assert torch.equal(first, painter(style).paint(photo, 1))
    assert not torch.equal(first, painter(style).paint(photo, 2))


def test_a_painting_comes_nearer_to_its_style_and_keeps_the_scene():
    photo, style = scene(64, 80), stripes(80, 80) * torch.linspace(0.3, 1, 80)  # darker to the left
    painted = painter(style).paint(photo, 0)
    distances = [patch_distance([picture], [style], patches=2000) for picture in (painted, photo)]
    assert distances[0] < 0.75 * distances[1]
    disc = (photo[0] > 0.6).float()
    inside, outside = (float((luma(painted)[0] * part).sum() / part.sum()) for part in (disc, 1 - disc))
    assert inside > outside + 0.05


def test_from_noise_the_scene_comes_though_nothing_of_it_was_there():
    photo, style = scene(64, 80), stripes(80, 80) * torch.linspace(0.3, 1, 80)
    close = painter(style, strength=0)
    ours = replace(close, from_noise=True)
    begun = ours.start(photo, random(3))
    torch.testing.assert_close(begun, ours.start(photo.flip(2), random(3)))
    for found, due in zip(torch.std_mean(begun, (1, 2)), torch.std_mean(photo, (1, 2)), strict=True):
        torch.testing.assert_close(found, due, atol=0.01, rtol=0.03)
    paintings, disc = [one.paint(photo, 0) for one in (ours, close)], (photo[0] > 0.6).float()
    for painted in paintings:
        inside, outside = (float((luma(painted)[0] * part).sum() / part.sum()) for part in (disc, 1 - disc))
        assert inside > outside + 0.05
    assert not torch.equal(*paintings)


def test_more_strength_goes_further_from_the_photo():
    photo, style = scene(64, 64), stripes(80, 80)
    weak, strong = (painter(style, strength=strength).paint(photo, 0) for strength in (0.0, 1.0))
    goal = transport(photo, moments(photo), moments(style))
    assert float((weak - goal).square().mean()) < float((strong - goal).square().mean())


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (7, 9), (16, 300)])
def test_any_size_is_painted(size):
    painted = painter(stripes(50, 50)).paint(scene(*size), 0)
    assert painted.shape == (3, *size)
    assert bool(torch.isfinite(painted).all())


@pytest.mark.parametrize(
    "style", [torch.rand(3, 1, 1), torch.rand(3, 1, 300), torch.rand(3, 5, 4), torch.zeros(3, 40, 40)]
)
@pytest.mark.parametrize(
    "photo", [scene(30, 40), torch.full((3, 30, 40), 0.5), torch.zeros(3, 30, 40), torch.ones(3, 30, 40)]
)
def test_flat_and_tiny_pictures_are_no_harm(photo, style):
    painted = painter(style).paint(photo, 0)
    assert painted.shape == photo.shape
    assert bool(torch.isfinite(painted).all())


def test_a_style_on_itself_keeps_its_colours():
    style = stripes(64, 64)
    painted = painter(style).paint(style, 0)
    assert float((moments(painted).mean - moments(style).mean).abs().max()) < 0.05


@pytest.mark.parametrize("band", [40, 300])
def test_bands_change_nothing(band, monkeypatch):
    """Memory is bounded by working in bands; global statistics make them equal the whole within a level of 255."""
    photo, style = scene(70, 66), stripes(60, 60)
    whole = painter(style).paint(photo, 3)
    monkeypatch.setattr("artkit_nst.patches.BAND", band)
    monkeypatch.setattr("artkit_nst.blending.BAND", band)
    monkeypatch.setattr(Grid.bands, "__defaults__", (band,))
    banded = painter(style).paint(photo, 3)
    assert float((whole - banded).abs().max()) <= 1 / 255


def test_shares_divide_the_patches():
    black, white = torch.zeros(3, 40, 40), torch.ones(3, 40, 40)
    style = Style([Source(black, 0.25), Source(white, 0.75)])
    keys = style.keys((40, 40), 5, 400, 0)
    assert float(keys.patches.mean()) == pytest.approx(0.75)
    assert float(style.moments.mean[0]) == pytest.approx(0.75)


def test_a_watcher_sees_every_pass_and_the_end():
    seen = []
    journal = Journal(lambda share, sketch: seen.append((share, sketch())))
    painted = painter(stripes(60, 60)).paint(scene(110, 110), 0, journal=journal)
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert len(shares) == 4
    assert shares[-1] == 1
    assert all(sketch.shape == painted.shape for _, sketch in seen)
    assert torch.equal(seen[-1][1], painted)


def test_efforts_cost_more_the_better_they_are():
    costs = [effort.passes * effort.keys for effort in (EFFORTS[name] for name in ("draft", "normal", "best"))]
    assert costs == sorted(costs)


def test_a_style_is_never_enlarged_beyond_use():
    small = Style([Source(stripes(20, 20), 1.0)])
    assert small.at((500, 500))[0].picture.shape == (3, 40, 40)


def test_resizing_keeps_flat_pictures_flat():
    assert torch.allclose(resize(torch.full((3, 9, 7), 0.25), (20, 3)), torch.full((3, 20, 3), 0.25), atol=1e-6)
