"""Weights of VGG-19 for nst: every layout is read, what is none is refused, and the catalogue's can be pulled."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import cli_kit
import vgg_kit
import web_kit
from artkit import ModelError
from artkit.models import read_header
from artkit_nst import CATALOGUE, NstOptions
from artkit_nst.translator import Nst
from artkit_nst.vgg import network as network_module
from artkit_nst.vgg.network import ADAIN, CONTENT, LAYERS, STYLE, TORCHVISION, Vgg19, find_weights, read_weights
from vgg_kit import convolutions, named, photo, torchvision

shell = pytest.fixture(cli_kit.open_shell)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Make VGG-19 narrow, so that random weights are small."""
    monkeypatch.setattr(network_module, "WIDTHS", vgg_kit.WIDTHS)


def reference(picture: torch.Tensor) -> torch.Tensor:
    """Return the first layer's output, of what the network is fed."""
    weight, bias = convolutions()[0]
    padded = torch.nn.functional.pad(picture[None], (1, 1, 1, 1), mode="replicate")
    return torch.nn.functional.conv2d(padded, weight, bias).relu()[0]


def imagenet(picture):
    return (picture - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]


def caffe(picture):
    return 255 * picture.flip(0) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]


def test_features_agree_with_a_network_of_modules():
    """Blocks of 2, 2, 4, 4 and 1 convolutions, each followed by a ReLU, with means of 2 x 2 between the blocks."""
    pairs, features, wanted = iter(convolutions()), photo(37)[None], {}
    for block, count in enumerate((2, 2, 4, 4, 1), 1):
        features = torch.nn.AvgPool2d(2, ceil_mode=True)(features) if block > 1 else features
        for number in range(1, count + 1):
            weight, bias = next(pairs)
            first = block == number == 1
            convolution = torch.nn.Conv2d(
                *weight.shape[1::-1], 3, padding=1, padding_mode="replicate" if first else "zeros"
            )
            convolution.load_state_dict({"weight": weight, "bias": bias})
            features = torch.relu(convolution(features)).detach()
            wanted[f"relu{block}_{number}"] = features[0]
    found = vgg_kit.small_network()(photo(37))
    assert all(torch.allclose(found[layer], wanted[layer], rtol=1e-4, atol=1e-5) for layer in (CONTENT, *STYLE))


@pytest.mark.parametrize(
    ("name", "state", "prepare"),
    [
        ("vgg19-dcbb9e9d.pth", torchvision, imagenet),
        ("timm.safetensors", torchvision, imagenet),
        ("plain.pth", lambda: named([str(index) for index in TORCHVISION]), imagenet),
        ("vgg19-d01eb7cb.pth", torchvision, caffe),
        ("vgg_conv.pth", lambda: named([layer.replace("relu", "conv") for layer in LAYERS]), caffe),
    ],
)
def test_every_layout_is_read(tmp_path, name, state, prepare):
    path = tmp_path / name
    save_file(state(), path) if name.endswith("safetensors") else torch.save(state(), path)
    found = Vgg19(read_weights(path))(photo())
    assert torch.allclose(found["relu1_1"], reference(prepare(photo())), rtol=1e-4, atol=1e-3)
    assert set(found) == {CONTENT, *STYLE}
    assert found["relu5_1"].shape == (8, 3, 3)


def test_adain_files_bring_a_convolution_of_their_own(tmp_path):
    linear, shift = torch.randn(3, 3), torch.randn(3)
    torch.save(
        named([str(index) for index in ADAIN]) | {"0.weight": linear[:, :, None, None], "0.bias": shift},
        tmp_path / "n.pth",
    )
    found = Vgg19(read_weights(tmp_path / "n.pth"))(photo())
    fed = torch.einsum("dc,chw->dhw", linear, photo()) + shift[:, None, None]
    assert torch.allclose(found["relu1_1"], reference(fed), atol=1e-4)


def test_vgg_16_nan_truncated_and_hostile_files_are_refused(tmp_path):
    path = tmp_path / "w.pth"
    sixteen = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    torch.save(named([f"features.{index}" for index in sixteen]), path)
    with pytest.raises(ModelError, match="VGG-16"):
        read_weights(path)
    broken = torchvision()
    broken["features.5.bias"][0] = torch.nan
    torch.save(broken, path)
    with pytest.raises(ModelError, match="NaN"):
        read_weights(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match="damaged, cut short"):
        read_weights(path)
    torch.save({"features.0.weight": print}, path)
    with pytest.raises(ModelError, match=r"is a pickle that wants to run"):
        read_weights(path)
    torch.save({"other": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="known layout"):
        read_weights(path)


def test_wrong_widths_are_refused(tmp_path, monkeypatch):
    torch.save(torchvision(), tmp_path / "w.pth")
    monkeypatch.setattr(network_module, "WIDTHS", (64, 128, 256, 512, 512))
    with pytest.raises(ModelError, match="64x3x3x3"):
        read_weights(tmp_path / "w.pth")


def test_weights_are_found_where_they_usually_are(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("ARTKIT_VGG19", raising=False)
    assert find_weights(None) is None
    paths = [
        tmp_path / "torch" / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth",
        tmp_path / "home" / "models" / "nst" / "vgg19.safetensors",
        tmp_path / "mine.pth",
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if path.name == "mine.pth":
            monkeypatch.setenv("ARTKIT_VGG19", str(path))
        assert find_weights(None).path == path
    assert find_weights(str(paths[0])).path == paths[0]
    with pytest.raises(ModelError, match="no such file"):
        find_weights("gone.pth")


# -- the catalogue ---------------------------------------------------------------------------------------


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.fixture
def web(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with web_kit.open_web() as web:
        web.files["/vgg19-dcbb9e9d.pth"] = saved(torchvision())
        yield web


@pytest.fixture
def artkit(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "nst")
    return shell


def test_the_entry_is_the_file_that_torchvision_names():
    (entry,) = CATALOGUE
    assert entry.url == "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
    assert entry.sha256.startswith("dcbb9e9d")
    assert len(entry.sha256) == 64
    assert "BSD-3-Clause" in entry.licence


def test_pulled_weights_are_found_and_look_as_the_file_does(artkit, web, tmp_path):
    digits = hashlib.sha256(web.files["/vgg19-dcbb9e9d.pth"]).hexdigest()
    pulled = artkit("models", "pull", "vgg19", "--mirror", web.url, "--sha256", digits)
    assert pulled.code == 0, pulled.err
    assert pulled.err.endswith("to use it: artkit run PICTURE --chain nst\n")
    assert read_header(pulled.lines()[0]).training["sha256"] == digits
    found = find_weights(None)
    assert str(found.path) == pulled.lines()[0]
    assert found.where == "the store"
    (tmp_path / "vgg19-dcbb9e9d.pth").write_bytes(web.files["/vgg19-dcbb9e9d.pth"])
    direct, stored = (Vgg19(read_weights(path))(photo()) for path in (tmp_path / "vgg19-dcbb9e9d.pth", found.path))
    assert all(torch.equal(direct[layer], stored[layer]) for layer in direct)
    run = artkit("-v", "run", artkit.paint("a.png"), "--chain", "nst(steps=1,quality=draft)", "-o", "b.png")
    assert "nst: engine vgg: weights from" in run.err
    quiet = artkit("run", "a.png", "--chain", "nst(steps=1,quality=draft)", "-o", "c.png")
    assert "engine" not in quiet.err


def test_a_download_that_is_not_torchvisions_is_refused(artkit, web):
    outcome = artkit("models", "pull", "vgg19", "--mirror", web.url)
    assert outcome.code == 1
    assert "not what was expected" in outcome.err
    assert find_weights(None) is None


def test_files_of_any_layout_become_models(artkit, tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    torch.save(named([layer.replace("relu", "conv") for layer in LAYERS]), tmp_path / "vgg_conv.pth")
    outcome = artkit("models", "import", "vgg_conv.pth", "--name", "vgg19")
    assert outcome.code == 0, outcome.err
    first, again = (read_weights(path)["relu1_1"] for path in (tmp_path / "vgg_conv.pth", Path(outcome.lines()[0])))
    assert torch.equal(first[0], again[0])
    torch.save({"conv.weight": torch.ones(3, 3)}, tmp_path / "other.pth")
    assert (
        "no VGG-19 of a known layout" in artkit("models", "import", "other.pth", "--name", "x", "--method", "nst").err
    )


def test_whoever_lacks_weights_is_told_what_brings_them(web):
    with pytest.raises(ModelError, match="artkit models pull vgg19"):
        Nst(NstOptions(engine="vgg"), None)
