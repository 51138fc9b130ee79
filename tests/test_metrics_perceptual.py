"""The perceptual scores: what a distance must do, the kernel distance summed pair by pair, and the way to them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from artkit.cli import main
from artkit.errors import DataError, ModelError
from artkit.metrics import METRICS, evaluate, perceptual_distance, perceptual_kid
from artkit.nn import load_perceptual_network
from perceptual_kit import missing, package, reference
from test_perceptual_network import crop, installed, pictures

__all__ = ["missing", "package"]

DATA = "landscapes(count=20,size=[32,32])"
CHAIN = "blur(sigma=1)"


def blurred(image: torch.Tensor, side: int) -> torch.Tensor:
    return F.avg_pool2d(image, side, 1, side // 2, count_include_pad=False)


def noisy(image: torch.Tensor, strength: float) -> torch.Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(3))
    return (image + strength * noise).clamp(0, 1)


def check_order(image: torch.Tensor) -> None:
    for worsened in ([blurred(image, side) for side in (3, 5, 9)], [noisy(image, by) for by in (0.02, 0.06, 0.2)]):
        found = [perceptual_distance(one, image) for one in worsened]
        assert 0 < found[0] < found[1] < found[2] < 2


def test_distance_grows_with_blur_and_noise(package):
    check_order(noisy(pictures(1), 0.05))


def test_equal_pictures_are_zero_apart_and_the_distance_is_symmetric(package):
    a, b = pictures(2), pictures(2, seed=1)
    assert perceptual_distance(a, a.clone()) == 0
    assert perceptual_distance(a, b) == pytest.approx(perceptual_distance(b, a), rel=1e-6)


def test_distance_is_the_mean_of_pairs_of_any_size(package):
    a, b = [pictures(1)[0], pictures(1, 33, 64)[0]], [pictures(1, seed=1)[0], pictures(1, 33, 64, seed=2)[0]]
    each = [perceptual_distance(one, other) for one, other in zip(a, b, strict=True)]
    assert perceptual_distance(a, b) == pytest.approx(sum(each) / 2)
    with pytest.raises(DataError, match="differs in size"):
        perceptual_distance(a[:1], b[1:])


def test_kernel_distance_is_that_of_every_pair(package):
    """The unbiased estimate of Binkowski et al. 2018, eq. 4, summed one by one: no picture is compared with itself."""
    sets = [*pictures(2, 112, 200), pictures(1, 224, 224, seed=4)[0]], list(pictures(4, 300, 250, seed=1))
    rows = []
    for images in sets:
        resized = []
        for image in images:
            height, width = image.shape[-2:]
            size = (round(height * 224 / min(height, width)), round(width * 224 / min(height, width)))
            resized.append(F.interpolate(image[None], size=size, mode="bicubic", antialias=True).clamp(0, 1))
        rows.append([reference(package, image)[0][-1].numpy().mean((2, 3))[0].astype(np.float64) for image in resized])

    def kernel(x, y):
        return (np.dot(x, y) / 1280 + 1) ** 3

    x, y = rows
    within = [
        sum(kernel(one[i], one[j]) for i in range(len(one)) for j in range(len(one)) if i != j)
        / (len(one) * (len(one) - 1))
        for one in rows
    ]
    between = sum(kernel(one, other) for one in x for other in y) / (len(x) * len(y))
    assert perceptual_kid(*sets) == pytest.approx(sum(within) - 2 * between, rel=1e-2, abs=1e-6)


def test_kernel_distance_of_sets(package):
    generator = torch.Generator().manual_seed(0)
    rough, flat = torch.rand(6, 3, 32, 32, generator=generator), torch.rand(4, 3, 1, 1, generator=generator)
    between = perceptual_kid(rough, flat.expand(-1, -1, 32, 32))
    assert abs(perceptual_kid(rough[:3], rough[3:])) < 0.05 * between
    assert between == pytest.approx(perceptual_kid(flat.expand(-1, -1, 32, 32).flip(0), rough))
    assert perceptual_kid(rough, rough) < 0  # unbiased: a set is nearer to itself than another of its kind
    with pytest.raises(DataError, match="at least two"):
        perceptual_kid(rough, flat[:1])


def test_they_are_computed_when_named(package, monkeypatch, capsys):
    monkeypatch.setattr("artkit.metrics.patches.patch_distance", lambda *_: 0.0)  # slow, and not looked at here
    command = ["evaluate", DATA, "--chain", CHAIN, "--source", "photo", "--target", "photo", "-n", "2", "--json"]
    assert main(command) == 0
    assert not {"perceptual_distance", "perceptual_kid"} & json.loads(capsys.readouterr().out)["scores"].keys()
    assert main([*command, "--metrics", "perceptual_distance,perceptual_kid"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"].keys() == {"perceptual_distance", "perceptual_kid"}


def test_missing_package_is_told_before_anything_is_computed(missing, monkeypatch):
    monkeypatch.setattr("artkit.engine.runner.Runner.run", lambda *_, **__: pytest.fail("a picture was computed"))
    for metric in ("perceptual_distance", "perceptual_kid"):
        with pytest.raises(ModelError, match="pip install"):
            evaluate(DATA, CHAIN, ["rgb_distance", metric], source="photo", target="photo", limit=2)


def test_only_these_need_an_extra():
    assert {spec.name for spec in METRICS if spec.needs} == {"perceptual_distance", "perceptual_kid"}


@installed
def test_trained_distance_sees_what_squared_errors_do_not():
    photo = crop("chelsea")
    check_order(photo)
    soft = blurred(photo, 7)
    brighter = photo + (soft - photo).square().mean().sqrt()  # as far off, by squares
    assert perceptual_distance(brighter, photo) < 0.1 * perceptual_distance(soft, photo)
    assert perceptual_distance(crop("coffee"), photo) > perceptual_distance(soft, photo)


@installed
def test_features_of_the_trained_network_point_somewhere_everywhere():
    """The floor under their lengths, which keeps gradients finite, changes nothing."""
    with torch.inference_mode():
        maps = load_perceptual_network().features(crop("rocket"))
    assert min(float(found.square().sum(1).min()) for found in maps) > 1
