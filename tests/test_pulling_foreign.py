"""The models of the catalogue, from the command line: pulled in the layouts they are published in, imported, run."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest
import torch

import cli_kit
import web_kit
from artkit.models import load_model, read_header
from foreign_reference import resnet_state, unet_state

shell = pytest.fixture(cli_kit.open_shell)


def saved(state: object, *, old: bool = False) -> bytes:
    """Return the bytes of a `.pth`, as today's PyTorch writes it or as that of 2017 did."""
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


@pytest.fixture
def web(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    with web_kit.open_web() as web:
        web.files["/edges2shoes.pth"] = saved(unet_state())
        web.files["/style_cezanne.pth"] = saved(resnet_state() | OLD_NORM)
        yield web


@pytest.fixture
def artkit(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "pix2pix,cyclegan")
    return shell


OLD_NORM = {"model.2.running_mean": torch.zeros(4), "model.2.running_var": torch.ones(4)}
"""What instance norm still kept in 2017, and the published CycleGAN models therefore hold."""


def left(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("method", "name", "size", "words"),
    [
        ("pix2pix", "edges2shoes", "217.7 MB", "U-Net-256, 4 filters, batch norm"),
        ("cyclegan", "style_cezanne", "45.6 MB", "ResNet-9, 4 filters, instance norm"),
    ],
)
def test_a_published_model_is_pulled_and_runs(artkit, web, tmp_path, method, name, size, words, old):
    web.files = {path: saved(torch.load(io.BytesIO(data)), old=old) for path, data in web.files.items()}
    run = ("run", artkit.paint("photo.png"), "--chain", f"{method}(model={name})", "-o", "art.png")
    before = artkit(*run)
    assert before.code == 1
    assert before.err == (
        f"artkit: The model '{name}' of {method} is not here yet. To download it ({size}): artkit models pull {name}\n"
    )
    assert web.asked == []
    pulled = artkit("models", "pull", name, "--mirror", web.url)
    assert pulled.code == 0
    assert f"artkit: '{name}' is {words}" in pulled.err
    assert artkit(*run).code == 0
    assert cli_kit.pixels_of(tmp_path / "art.png").shape == (12, 20, 3)


def test_a_name_of_two_methods(artkit, web):
    outcome = artkit("models", "pull", "sat2map", "--mirror", web.url)
    assert outcome.code == 1
    assert "`artkit models pull cyclegan/sat2map` or `artkit models pull pix2pix/sat2map`" in outcome.err
    web.files["/sat2map.pth"] = web.files["/style_cezanne.pth"]
    path = artkit("models", "pull", "cyclegan/sat2map", "--mirror", web.url).lines()[0]
    assert read_header(path).method == "cyclegan"
    assert "artkit models pull pix2pix/sat2map" in artkit("run", "--chain", "pix2pix(model=sat2map)").err


def test_the_header_says_where_it_comes_from(artkit, web):
    path = artkit("models", "pull", "edges2shoes", "--mirror", web.url).lines()[0]
    header = read_header(path)
    assert (header.method, header.name) == ("pix2pix", "edges2shoes")
    assert header.summary == "Makes a shoe from its edges, black on white."
    assert "none stated" in header.licence
    assert header.training["data"] == "edges2shoes, A to B"
    assert header.training["source"] == "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
    assert header.training["url"] == f"{web.url}/edges2shoes.pth"
    assert header.training["imported"] == ["edges2shoes.pth"]
    assert header.inputs == {"image": "image"}
    assert len(load_model(path).tensors) == len(unet_state())
    shown = artkit("models", "show", "edges2shoes").out
    assert header.training["sha256"] in shown
    assert "none stated" in shown


class Burglar:
    """A pickle that writes a file when it is opened carelessly."""

    def __reduce__(self):
        return Path.write_text, (Path("burgled"), "")


@pytest.mark.parametrize("data", [saved({"model": Burglar()}), saved(Burglar(), old=True), pickle.dumps(Burglar())])
def test_a_malicious_download_is_refused_and_goes(artkit, web, tmp_path, data):
    web.files["/edges2shoes.pth"] = data
    outcome = artkit("models", "pull", "edges2shoes", "--mirror", web.url)
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert "cannot be used: it is " in outcome.err
    assert "burgled" not in artkit.files()
    assert left(tmp_path / "home") == []


@pytest.mark.parametrize(
    "data",
    [saved({"weight": torch.ones(3)}), saved(unet_state())[:-5000], saved(resnet_state(blocks=6) | unet_state())],
)
def test_what_is_no_such_network_is_refused_and_goes(artkit, web, tmp_path, data):
    web.files["/edges2shoes.pth"] = data
    outcome = artkit("models", "pull", "edges2shoes", "--mirror", web.url)
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert f"artkit: What came from {web.url}/edges2shoes.pth cannot be used: it " in outcome.err
    assert "pulls" not in outcome.err
    assert left(tmp_path / "home") == []
