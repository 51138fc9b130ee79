"""Edges in bands of rows against scikit-image's whole pictures, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data, feature

from artkit import Chain
from artkit_filters import canny
from artkit_filters.arrays import LUMA

SETTINGS = [(2, 0.1, 0.2), (0, 0, 0), (1, 0.05, 0.3), (5, 0.02, 0.02), (0.3, 0.1, 0.2), (0, 0.2, 0.4)]


def pixels(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).random((height, width, 3), np.float32)


def photo() -> np.ndarray:
    return (data.astronaut()[:160, 100:300] / 255).astype(np.float32)


@pytest.mark.parametrize(("sigma", "low", "high"), SETTINGS)
@pytest.mark.parametrize("band", [2**19, 2**11])
def test_edges_are_scikit_images(sigma: float, low: float, high: float, band: int, monkeypatch) -> None:
    monkeypatch.setattr(canny, "BAND", band)
    flat = np.full((9, 8, 3), 0.5, np.float32)
    for array in (photo(), pixels(97, 61), pixels(5, 7), pixels(1, 1), pixels(2, 40), pixels(80, 3), flat):
        expected = feature.canny(array @ np.array(LUMA, np.float32), sigma, low, high)
        found = canny.find_edges(array.transpose(2, 0, 1), sigma, low, high)
        assert np.array_equal(found, expected)


def test_the_step_draws_those_edges() -> None:
    lines = feature.canny(photo() @ np.array(LUMA, np.float32), 1, 0.1, 0.2)
    made = Chain("edges(sigma=1)")(photo()).numpy()
    assert np.array_equal(made, np.where(lines, 0, 255).astype(np.uint8)[:, :, None].repeat(3, 2))
    assert 0.02 < lines.mean() < 0.5
