"""The painter: every style on any size, and the strokes it shares with the noise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from artkit.errors import OptionError
from artkit.nn.noise import stroke_noise
from artkit.nn.strokes import swirl_field
from artkit_atelier.painting import DEFAULT_STYLE, STYLES, StrokeStyle, paint
from artkit_atelier.painting.colour import from_opponent, heighten, stray, to_opponent
from artkit_atelier.painting.fields import bend_to_borders, blur, detail

Scene = tuple[np.ndarray, np.ndarray]


def _scene(height: int, width: int) -> Scene:
    """A blue sky over a green field with a red house."""
    labels = np.zeros((height, width), np.uint8)
    labels[height // 2 :] = 6
    labels[height // 3 : height // 3 * 2, width // 4 : width // 2] = 10
    colours = np.zeros((12, 3), np.float32)
    colours[[0, 6, 10]] = (0.45, 0.65, 0.85), (0.5, 0.7, 0.3), (0.7, 0.3, 0.2)
    return colours[labels], labels


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("size", [(1, 1), (7, 33), (48, 40)])
def test_every_style_paints_any_size(style: str, size: tuple[int, int]) -> None:
    photo, labels = _scene(*size)
    given = photo.copy(), labels.copy()
    painting = paint(photo, labels, style, seed=3)
    assert painting.shape == (*size, 3)
    assert painting.dtype == np.float32
    assert np.isfinite(painting).all()
    assert painting.min() >= 0
    assert painting.max() <= 1
    assert np.array_equal(photo, given[0])
    assert np.array_equal(labels, given[1])
    assert np.array_equal(painting, paint(photo, labels, style, seed=3))


def test_read_only_pictures_can_be_painted() -> None:
    photo, labels = _scene(16, 16)
    photo.setflags(write=False)
    labels.setflags(write=False)
    assert paint(photo, labels, DEFAULT_STYLE, 1).shape == photo.shape


def test_styles_and_seeds_differ() -> None:
    photo, labels = _scene(64, 64)
    paintings = {style: paint(photo, labels, style, 1) for style in STYLES}
    assert len(paintings) >= 4
    for one, other in itertools.combinations(paintings.values(), 2):
        assert np.abs(one - other).mean() > 0.02
    for style, painting in paintings.items():
        assert np.abs(paint(photo, labels, style, 2) - painting).mean() > 0.005


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"fauve", "ink"}))
def test_a_painting_keeps_the_colours_of_its_scene(style: str) -> None:
    photo, labels = _scene(64, 64)
    painting = paint(photo, labels, style, 1)
    sky, field, house = (painting[labels == label].mean(axis=0) for label in (0, 6, 10))
    assert sky.argmax() == 2
    assert field.argmax() == 1
    assert house.argmax() == 0


def test_an_unknown_style_names_the_nearest() -> None:
    with pytest.raises(OptionError, match="impressionist"):
        paint(*_scene(4, 4), "impresionist", 0)


def test_a_flat_picture_shows_the_strokes_of_the_noise() -> None:
    photo, labels = np.full((96, 112, 3), 0.5, np.float32), np.zeros((96, 112), np.uint8)
    luma = paint(photo, labels, DEFAULT_STYLE, 11) @ np.array([0.299, 0.587, 0.114], np.float32)

    def likeness(seed: int) -> float:
        return float(np.corrcoef(luma.ravel(), stroke_noise(96, 112, seed)[6].numpy().ravel())[0, 1])

    assert likeness(11) > 0.65
    assert abs(likeness(12)) < 0.3


def test_strokes_turn_to_borders_and_follow_the_swirl_elsewhere() -> None:
    labels = torch.zeros(80, 80, dtype=torch.uint8)
    labels[:, 40:] = 6
    swirl = swirl_field(80, 80, seed=3)
    bent = bend_to_borders(swirl, labels, follow=1.0)
    assert torch.equal(bent[:, :16], swirl[:, :16])
    assert torch.cos(2 * bent[:, 39:41]).max() < -0.5, "upright along an upright border"


def test_detail_is_nought_in_flat_places() -> None:
    photo, labels = _scene(80, 80)
    need = detail(torch.tensor(photo).permute(2, 0, 1), torch.tensor(labels))
    assert need[:8].max() == 0
    assert need[40, 50:].min() > 0.5


def test_colours_stray_as_told() -> None:
    rgb = torch.rand(3, 50, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(from_opponent(to_opponent(rgb)), rgb, atol=1e-5)
    assert torch.allclose(heighten(rgb, 1.0, 1.0), rgb, atol=1e-5)
    nought = torch.zeros(50)
    assert torch.allclose(stray(rgb, nought, nought, nought), rgb, atol=1e-5)
    turned = stray(rgb, nought, nought + 0.7, nought)
    assert torch.allclose(to_opponent(turned)[0], to_opponent(rgb)[0], atol=1e-5)
    lifted = stray(rgb, nought + 0.1, nought, nought)
    assert torch.allclose(to_opponent(lifted)[0], to_opponent(rgb)[0] + 0.1, atol=1e-5)


def test_blur_keeps_the_mean_of_a_flat_picture() -> None:
    assert torch.allclose(blur(torch.full((2, 5, 3), 0.3), 2.0), torch.full((2, 5, 3), 0.3), atol=1e-6)


def test_the_default_style_shares_the_layers_of_the_noise() -> None:
    style = STYLES[DEFAULT_STYLE]
    assert isinstance(style, StrokeStyle)
    assert (style.layers, style.scale, style.drift) == (StrokeStyle.layers, StrokeStyle.scale, StrokeStyle.drift)
    assert torch.equal(swirl_field(24, 24, 1), swirl_field(24, 24, 1, style.scale, style.drift))
