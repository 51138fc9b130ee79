"""Uneven light on label maps: found by the class colours, taken off, and left alone where it is even."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from artkit import Chain, ClassSet, LabelClass, read_picture
from artkit.images import paint_labels, resize_labels
from artkit.metrics import pixel_accuracy
from artkit_semgan import translator
from artkit_semgan.damage import add_noise, blur, tint
from artkit_semgan.light import agree, even_light, find_light, sweep, weighted_median

EXAMPLES = Path(__file__).parents[1] / "examples"
COLOURS = [(110, 170, 220), (140, 190, 80), (180, 80, 60), (40, 95, 50), (235, 235, 240), (0, 0, 0)]
CLASSES = ClassSet("six", tuple(LabelClass(f"class{index}", colour) for index, colour in enumerate(COLOURS)))
OTHERS = ClassSet("town", (LabelClass("void", (0, 0, 0)), LabelClass("road", (128, 64, 128)),
                           LabelClass("building", (70, 70, 70)), LabelClass("tree", (107, 142, 35)),
                           LabelClass("car", (0, 0, 142)), LabelClass("sky", (70, 130, 180))))  # fmt: skip


def scene(classes=CLASSES, side=160):
    places = np.random.default_rng(1).integers(len(classes), size=(8, 8))
    return torch.from_numpy(places.repeat(side // 8, 0).repeat(side // 8, 1))[None]


def ramp(side=160, least=1 / 3):
    return torch.linspace(1, least, side).expand(1, 1, side, side)


@pytest.mark.parametrize("classes", [CLASSES, OTHERS], ids=lambda classes: classes.name)
def test_light_that_fails_to_a_third_is_evened(classes):
    labels = scene(classes)
    dark = paint_labels(labels, classes) * ramp() * torch.tensor([1.0, 0.93, 0.85])[:, None, None]
    torch.manual_seed(0)
    even = even_light(add_noise(dark, 6 / 255), classes)
    inner = labels[0] != 0 if classes is OTHERS else labels[0] >= 0
    error = (even - paint_labels(labels, classes)).abs().mean(1)[0]
    assert error[inner].mean() < 0.06
    assert (dark - paint_labels(labels, classes)).abs().mean(1)[0][inner].mean() > 0.12


def test_a_shadow_with_an_edge_is_taken_off():
    labels = scene()
    light = torch.ones(1, 1, 160, 160)
    light[..., 70:] = 0.45
    even = even_light(paint_labels(labels, CLASSES) * light, CLASSES)
    error = (even - paint_labels(labels, CLASSES)).abs().mean(1)[0]
    assert error[:, :62].mean() < 0.03
    assert error[:, 78:].mean() < 0.03


def test_even_light_is_left_alone():
    torch.manual_seed(0)
    image = paint_labels(scene(), CLASSES)
    for picture in (image, blur(image[0], 2)[None], add_noise(image, 25 / 255)):
        assert even_light(picture, CLASSES) is picture


def test_a_tint_is_light_of_a_colour():
    image = paint_labels(scene(), CLASSES)
    warm = tint(image[0], torch.tensor([1.0, 0.9, 0.75]), 1)
    light, colour = find_light(warm[:, ::2, ::2].movedim(0, -1).double().numpy(), np.array(COLOURS) / 255)
    assert np.exp(colour + light.mean()) == pytest.approx([1, 0.9, 0.75], abs=0.05)


@pytest.mark.parametrize("picture", [torch.zeros(1, 3, 9, 12), torch.ones(1, 3, 1, 1), torch.rand(1, 3, 1, 300)])
def test_pictures_that_show_no_map_come_back_whole(picture):
    even = even_light(picture, CLASSES)
    assert even.shape == picture.shape
    assert torch.isfinite(even).all()


def test_a_cell_that_shows_no_class_takes_the_light_of_its_neighbours():
    costs = np.full((3, 5, 4), 2.0)
    costs[..., 1] = 0
    costs[1, 2] = (1.0, 1.0, 1.0, 0.9)
    assert (agree(costs).argmin(2) == 1).all()


def test_a_way_through_the_levels_pays_slopes_and_one_jump():
    costs = np.zeros((2, 1, 6))
    costs[0, 0, 1:] = 10.0
    assert sweep(costs)[1, 0] == pytest.approx([0, 0.5, 4, 4, 4, 4])


def test_half_of_the_weight_lies_below_the_median():
    assert weighted_median(np.array([5.0, 1.0, 9.0]), np.array([1.0, 1.0, 3.0])) == 9
    assert weighted_median(np.array([5.0, 1.0, 9.0]), np.array([3.0, 1.0, 1.0])) == 5


def test_the_example_is_read_from_its_photo(monkeypatch):
    labels = read_picture(EXAMPLES / "semantic.png")
    wanted = Chain("semgan")(labels).tensor
    chain = Chain("rectify,semgan")
    read_map = chain(EXAMPLES / "semantic_photo.jpg").tensor
    accuracy = pixel_accuracy([resize_labels(read_map, labels.size)[0]], [wanted[0]])
    assert accuracy > 0.98
    monkeypatch.setattr(translator, "even_light", lambda picture, _: picture)
    in_shadow = pixel_accuracy(
        [resize_labels(chain(EXAMPLES / "semantic_photo.jpg").tensor, labels.size)[0]], [wanted[0]]
    )
    assert in_shadow < accuracy - 0.1
