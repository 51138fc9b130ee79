"""Scores of image pairs: known values, references written out, and properties."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics import luminance_correlation, mse, psnr, rgb_distance, sharpness, ssim

ALL = [rgb_distance, psnr, ssim, luminance_correlation]


def random_images(seed: int, count: int = 2, height: int = 17, width: int = 23) -> Tensor:
    """Return random images, N3HW in [0, 1]."""
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def flat(*colour: float) -> Tensor:
    """Return an image of one colour, 3HW."""
    return torch.tensor(colour, dtype=torch.float32).reshape(3, 1, 1).expand(3, 12, 13)


def test_rgb_distance_of_known_colours() -> None:
    assert rgb_distance(flat(0, 0, 0), flat(1, 1, 1)) == pytest.approx(255 * math.sqrt(3))
    assert rgb_distance(flat(0, 0, 0), flat(3 / 255, 4 / 255, 0)) == pytest.approx(5)


def test_mse_is_that_of_numpy_and_of_psnr() -> None:
    a, b = random_images(0), random_images(1)
    assert mse(a, b) == pytest.approx(np.square(a.numpy() - b.numpy()).mean(), rel=1e-5)
    assert psnr(a[:1], b[:1]) == pytest.approx(-10 * math.log10(mse(a[:1], b[:1])), rel=1e-5)


def test_sharpness_is_the_mean_ratio_of_gradients() -> None:
    a, b = random_images(0), random_images(1) * torch.tensor([1.0, 0.5]).reshape(2, 1, 1, 1)

    def gradient(image: np.ndarray) -> float:
        return sum(np.abs(np.diff(image, axis=axis)).mean() for axis in (1, 2))

    sums = [[gradient(image) for image in part.numpy()] for part in (a, b)]
    assert sharpness(a, b) == pytest.approx(np.mean(np.divide(*sums)), rel=1e-5)
    assert sharpness(a, a) == 1
    assert sharpness(torch.nn.functional.avg_pool2d(a, 3, 1, 1), a) < 0.6
    assert (sharpness(flat(0, 0, 0), flat(1, 0, 1)), sharpness(a[:1, :, :12, :13], flat(0, 0, 0))) == (1, math.inf)


def test_rgb_distance_against_loops() -> None:
    a, b = random_images(0), random_images(1)
    total = [
        math.dist([255 * x for x in a[n, :, y, x_].tolist()], [255 * x for x in b[n, :, y, x_].tolist()])
        for n in range(2)
        for y in range(17)
        for x_ in range(23)
    ]
    assert rgb_distance(a, b) == pytest.approx(sum(total) / len(total), rel=1e-6)


def test_psnr_of_known_error() -> None:
    """An error of 0.1 everywhere is a mean squared error of 0.01: 20 dB."""
    assert psnr(flat(0.5, 0.5, 0.5), flat(0.6, 0.4, 0.6)) == pytest.approx(20, abs=1e-4)
    assert psnr(flat(0, 0, 0), flat(1, 1, 1)) == pytest.approx(0)


def test_psnr_of_equal_images_is_infinite() -> None:
    assert psnr(flat(0.2, 0.3, 0.4), flat(0.2, 0.3, 0.4)) == math.inf


def slow_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Return SSIM of one channel by Wang et al. 2004, equations 13 to 16, one window at a time."""
    ticks = np.arange(11) - 5
    window = np.exp(-(ticks[:, None] ** 2 + ticks[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    scores = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = a[top : top + 11, left : left + 11], b[top : top + 11, left : left + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            c1, c2 = 0.01**2, 0.03**2
            scores.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return float(np.mean(scores))


def test_ssim_against_the_paper() -> None:
    a = random_images(2)
    b = (a + 0.2 * random_images(3)).clamp(0, 1)
    slow = [slow_ssim(a[n, c].double().numpy(), b[n, c].double().numpy()) for n in range(2) for c in range(3)]
    assert ssim(a, b) == pytest.approx(np.mean(slow), abs=1e-5)


def test_ssim_of_equal_images_is_one_and_of_small_ones_an_error() -> None:
    assert ssim(random_images(4), random_images(4)) == pytest.approx(1)
    with pytest.raises(DataError, match="at least 11 pixels"):
        ssim(random_images(4, height=10), random_images(4, height=10))


def test_luminance_correlation_against_numpy() -> None:
    a, b = random_images(5), random_images(6)
    luma = [np.tensordot([0.2126, 0.7152, 0.0722], x.numpy(), axes=([0], [1])) for x in (a, b)]
    expected = np.mean([np.corrcoef(luma[0][n].ravel(), luma[1][n].ravel())[0, 1] for n in range(2)])
    assert luminance_correlation(a, b) == pytest.approx(expected, abs=1e-6)


def test_luminance_correlation_ignores_contrast_and_sees_negatives() -> None:
    a = random_images(7)
    assert luminance_correlation(a, 0.3 * a + 0.2) == pytest.approx(1)
    assert luminance_correlation(a, 1 - a) == pytest.approx(-1)
    assert luminance_correlation(a[0], flat(0.5, 0.5, 0.5).new_full((3, 17, 23), 0.5)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("metric", ALL)
def test_symmetry(metric: Callable[..., float]) -> None:
    a, b = random_images(8), random_images(9)
    assert metric(a, b) == pytest.approx(metric(b, a), rel=1e-6)


@pytest.mark.parametrize("metric", ALL)
def test_lists_batches_and_lists_of_batches_are_the_same(metric: Callable[..., float]) -> None:
    a, b = random_images(10, count=3), random_images(11, count=3)
    whole = metric(a, b)
    assert metric(list(a), list(b)) == whole
    assert metric([a[:1], a[1:]], [b[:2], b[2:]]) == whole
    assert whole == pytest.approx(sum(metric(x, y) for x, y in zip(a, b, strict=True)) / 3)


@pytest.mark.parametrize("metric", ALL)
def test_pairs_of_different_sizes_weigh_the_same(metric: Callable[..., float]) -> None:
    small, large = random_images(12, 1, 12, 12), random_images(13, 1, 40, 30)
    got = metric([small, large], [1 - small, large * 0.5])
    assert got == pytest.approx((metric(small, 1 - small) + metric(large, large * 0.5)) / 2)


@pytest.mark.parametrize("metric", ALL)
def test_wrong_input_is_named(metric: Callable[..., float]) -> None:
    a = random_images(14)
    with pytest.raises(DataError, match="2 pictures do not pair up with 1"):
        metric(a, a[:1])
    with pytest.raises(DataError, match="23x17 and 22x17"):
        metric(a, a[..., :22])
    with pytest.raises(DataError, match="no pictures"):
        metric([], [])
    with pytest.raises(DataError, match="uint8"):
        metric((a * 255).byte(), a)
    with pytest.raises(DataError, match=r"shape \(1, 17, 23\)"):
        metric(a[:, :1], a[:, :1])
    with pytest.raises(DataError, match="dimensions"):
        metric(a[0, 0], a[0, 0])


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16]),
)
def test_any_size_and_float_type(height: int, width: int, dtype: torch.dtype) -> None:
    a = random_images(15, 1, height, width).to(dtype)
    assert rgb_distance(a, a) == 0
    assert psnr(a, a) == math.inf
    assert rgb_distance(a, torch.zeros_like(a)) == pytest.approx(255 * a[0].double().norm(dim=0).mean().item())


def test_inputs_are_left_alone() -> None:
    a, b = random_images(16), random_images(17)
    before = a.clone(), b.clone()
    for metric in ALL:
        metric(a, b)
    assert torch.equal(a, before[0])
    assert torch.equal(b, before[1])
