"""Strokes that follow contours: directions against pictures whose contours are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from artkit.nn import blur, follow_contours, stroke_noise
from artkit.nn.contours import enlarge_orientations


def grating(angle: float, contrast: float, side: int = 64) -> Tensor:
    """A picture of parallel stripes that run at `angle`."""
    y, x = torch.meshgrid(torch.arange(float(side)), torch.arange(float(side)), indexing="ij")
    across = x * math.sin(angle) - y * math.cos(angle)
    return (0.5 + contrast * torch.sin(across / 2)).expand(3, side, side)


def apart(one: Tensor, other: Tensor | float) -> Tensor:
    """Return the angle between orientations, of which opposite ones are the same."""
    return (torch.remainder(one - other + math.pi / 2, math.pi) - math.pi / 2).abs()


@pytest.mark.parametrize("sigma", [0.3, 1.5, 5.0])
def test_blur_is_a_gaussian_cut_off_at_two_and_a_half_sigma(sigma):
    picture = torch.rand(3, 24, 31, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before, reach = picture.clone(), max(1, math.ceil(2.5 * sigma))
    wanted = gaussian_filter(picture.numpy(), (0, sigma, sigma), mode="nearest", radius=(0, reach, reach))
    np.testing.assert_allclose(blur(picture, sigma).numpy(), wanted, atol=1e-12)
    assert torch.equal(picture, before)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_strokes_run_along_contours_and_elsewhere_as_they_are_told(angle, told):
    theta = torch.full((64, 64), told)
    inner = slice(16, 48)
    assert apart(follow_contours(theta, grating(angle, 0.3)), angle)[inner, inner].max() < 0.05
    assert apart(follow_contours(theta, grating(angle, 0.0)), told).max() < 1e-3


def test_a_faint_contour_counts_by_its_strength():
    theta = torch.zeros(64, 64)
    turned = [apart(follow_contours(theta, grating(1.0, contrast)), 0.0).mean() for contrast in (0.005, 0.03, 0.3)]
    assert turned[0] < 0.2 < turned[1] < turned[2]


@pytest.mark.parametrize("scale", [2, 3])
def test_orientations_are_enlarged_as_half_turns(scale):
    """Across pi / 2 and -pi / 2, which are one direction, nothing turns the other way."""
    theta = torch.full((8, 8), math.pi / 2 - 0.01)
    theta[:, 4:] = -math.pi / 2 + 0.01
    large = enlarge_orientations(theta, scale)
    assert large.shape == (8 * scale, 8 * scale)
    assert apart(large, math.pi / 2).max() < 0.011
    ramp = torch.linspace(0, 1, 8).expand(8, 8)
    wanted = torch.nn.functional.interpolate(ramp[None, None], scale_factor=scale, mode="bilinear")[0, 0]
    assert apart(enlarge_orientations(ramp, scale), wanted).max() < 0.01


def test_noise_along_a_picture_follows_it_at_every_scale():
    picture = grating(0.7, 0.3)
    for scale in (1, 2):
        z = stroke_noise(64 * scale, 64 * scale, 1, along=picture, scale=scale)
        inner = slice(16 * scale, 48 * scale)
        theta = torch.atan2(z[-1], z[-2]) / 2
        assert apart(theta, 0.7)[inner, inner].max() < 0.05
    first, again = (stroke_noise(64, 64, 1, along=picture) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, stroke_noise(64, 64, 2, along=picture))
    assert torch.equal(stroke_noise(64, 64, 1), stroke_noise(64, 64, 1))
    assert not torch.equal(first, stroke_noise(64, 64, 1))
