"""Painting at a working size and enlarging along borders and strokes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.nn import functional as F

from artkit import Chain, SizeRule
from artkit.nn import WorkingResolution, enlarge_guided, lay_swirls, stroke_noise
from artkit.nn.enlarging import _FLOOR, _NEAR

RULE = SizeRule(multiple=4, minimum=4, margin=8)


def plainly(picture: np.ndarray, small: np.ndarray, guide: np.ndarray, scale: int, alike: float) -> np.ndarray:
    """Equation 3 of Kopf et al., one pixel at a time, over 4 x 4 small pixels."""
    height, width = guide.shape[1:]
    result = np.zeros((len(picture), height, width))
    for y in range(height):
        for x in range(width):
            at_y, at_x, total = (y + 0.5) / scale - 0.5, (x + 0.5) / scale - 0.5, 0.0
            for row in range(int(np.floor(at_y)) - 1, int(np.floor(at_y)) + 3):
                for column in range(int(np.floor(at_x)) - 1, int(np.floor(at_x)) + 3):
                    j, i = np.clip(row, 0, small.shape[1] - 1), np.clip(column, 0, small.shape[2] - 1)
                    unlike = ((small[:, j, i] - guide[:, y, x]) ** 2).sum()
                    weight = np.exp(-((at_y - row) ** 2 + (at_x - column) ** 2) / (2 * _NEAR**2))
                    weight *= np.exp(-unlike / (2 * alike**2)) + _FLOOR
                    result[:, y, x] += weight * picture[:, j, i]
                    total += weight
            result[:, y, x] /= total
    return result


@settings(max_examples=15)
@given(st.integers(2, 4), st.integers(2, 5), st.integers(2, 5), st.integers(0, 2**31), st.sampled_from([5, 2**18]))
def test_enlarging_is_joint_bilateral_upsampling(scale, rows, columns, seed, band):
    random = torch.Generator().manual_seed(seed)
    picture, small = torch.rand(2, 1, 3, rows, columns, generator=random).double()
    height, width = rows * scale - seed % 2, columns * scale - 1
    guide = torch.rand(1, 3, height, width, generator=random).double()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("artkit.nn.enlarging._BAND", band)
        made = enlarge_guided(picture, small, guide, scale, alike=0.3)[0]
    assert np.allclose(made, plainly(picture[0].numpy(), small[0].numpy(), guide[0].numpy(), scale, 0.3))


def test_nothing_is_mixed_over_the_border_of_a_class():
    labels = (torch.arange(24).view(1, 1, -1).expand(1, 24, 24) > 10).long()
    working = WorkingResolution.of(labels, 4, RULE)
    small, large = (10.0 * part[:, None].float() for part in (working.shrink(labels), working.spread(labels)))
    made = working.enlarge(small.expand(1, 3, -1, -1) / 10, small, large)
    assert torch.allclose(made[0, 0], labels[0].float(), atol=1e-4)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 40))
def test_a_working_size_fits_the_rule_and_gives_the_size_back(height, width, side):
    picture = torch.rand(1, 3, height, width)
    working = WorkingResolution.of(picture, side, RULE)
    small, longest = working.shrink(picture), max(height, width) - 2 * RULE.margin
    if working.scale == 1:
        assert not side or longest <= 1.5 * side
        assert small is picture
        assert working.spread(picture) is picture
        return
    assert abs(longest - working.scale * side) <= side / 2
    assert all(extent % RULE.multiple == 0 for extent in small.shape[-2:])
    large = working.spread(picture)
    assert torch.allclose(small, F.avg_pool2d(large, working.scale))
    margin = working.margin
    assert margin == RULE.margin * (working.scale - 1)
    assert torch.equal(large[..., margin : margin + height, margin : margin + width], picture)
    assert working.enlarge(small, small, large).shape == picture.shape


def test_labels_are_shrunk_to_the_middle_of_each_cell():
    labels = torch.arange(36 * 36).view(1, 36, 36)
    working = WorkingResolution.of(labels, 12, SizeRule())
    assert torch.equal(working.shrink(labels), labels[:, 1::3, 1::3])


@pytest.mark.parametrize("scale", [2, 3])
def test_enlarged_strokes_lie_where_the_small_ones_do(scale):
    """Centres at the same places of the picture, strokes as many times as large: the same canvas, seen nearer."""
    small = stroke_noise(64, 96, 5, centres=True)
    large = stroke_noise(64 * scale, 96 * scale, 5, centres=True, scale=scale)
    near = F.interpolate(small[None, :9], scale_factor=scale, mode="nearest")[0]
    other = F.interpolate(stroke_noise(64, 96, 6)[None, :9], scale_factor=scale, mode="nearest")[0]
    values = [0, 1, 3, 4, 6, 7]
    alike = ((near - large[:9]).abs() < 0.02)[values].float().mean()
    assert alike > 0.8
    assert ((other - large[:9]).abs() < 0.02)[values].float().mean() < 0.2


def scene(height: int, width: int) -> np.ndarray:
    """A map in class indices: sky, and a tree."""
    labels = np.zeros((height, width), np.uint8)
    labels[height // 3 :, width // 2 :] = 4
    return labels


def test_large_pictures_are_painted_at_a_working_size():
    paint, plain = Chain("pix2pix(working_size=64)"), Chain("pix2pix(working_size=0)")
    small = paint(scene(48, 64), seed=1).tensor
    assert torch.equal(small, plain(scene(48, 64), seed=1).tensor)
    large = paint(scene(96, 128), seed=1).tensor
    assert large.shape == (1, 3, 96, 128)
    assert not torch.equal(large, plain(scene(96, 128), seed=1).tensor)
    again = F.interpolate(large, size=(48, 64), mode="area")
    assert (again - small).abs().mean() < 0.06


@pytest.mark.parametrize(
    ("module", "chain"), [("artkit.nn.noise", "pix2pix"), ("artkit_cyclegan.networks", "cyclegan")]
)
def test_the_strokes_that_guide_are_those_that_were_painted(monkeypatch, module, chain):
    drawn = []

    def draw(height, width, seed, *args, scale=1, **how):
        drawn.append((height // scale, width // scale, seed, scale))
        return stroke_noise(height, width, seed, *args, scale=scale, **how)

    monkeypatch.setattr(f"{module}.stroke_noise", draw)
    source = scene(96, 128) if chain == "pix2pix" else np.zeros((96, 128, 3), np.uint8)
    Chain(f"{chain}(working_size=64)")(source, seed=1)
    small, large = drawn
    assert small[:3] == large[:3]
    assert (small[3], large[3]) == (1, 2)


def test_swirls_are_laid_in_the_precision_of_the_network():
    laid = lay_swirls(16, 24, 3, 2, torch.ones(3, 8, 12), device=torch.device("cpu"), dtype=torch.bfloat16)
    assert torch.equal(laid, stroke_noise(16, 24, 3, scale=2).bfloat16())
    assert laid.dtype == torch.bfloat16


def test_photos_too():
    photo = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    made = Chain("cyclegan(working_size=60)")(photo, seed=1).tensor
    plain = Chain("cyclegan(working_size=0)")(photo, seed=1).tensor
    assert made.shape == plain.shape == (1, 3, 80, 120)
    assert not torch.equal(made, plain)
