"""What the world's models and data may have wrong, through the real command line: one line each, or it simply works."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.cli import main
from artkit.plugins import discovery
from foreign_reference import resnet_state, unet_state

TINY = ["--steps", "1", "--crop", "24", "--set", "network=resnet_6", "--set", "width=4", "--set", "widths=[4]"]


@pytest.fixture
def artkit(tmp_path, monkeypatch, capsys):
    """Return `artkit(words...) -> (exit code, stdout, stderr)`, in an empty folder with a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(discovery, "_current", None)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def paint(name: str, width: int = 32, height: int = 32, seed: int = 0) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return name


class Payload:
    """A pickle that makes a folder where it is opened."""

    def __reduce__(self):
        import os

        return os.mkdir, ("made",)


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("command", ["run", "import"])
def test_a_malicious_pickle_runs_nothing(artkit, command, bare):
    if bare:
        Path("latest_net_G.pth").write_bytes(pickle.dumps(Payload()))
    else:
        torch.save({"model.1.weight": Payload()}, "latest_net_G.pth")
    words = {
        "run": ["run", paint("a.png"), "--chain", "cyclegan(model=latest_net_G.pth)"],
        "import": ["models", "import", "latest_net_G.pth", "--name", "evil"],
    }
    code, out, err = artkit(*words[command])
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "is refused: it is a pickle" in err
    assert not Path("made").exists()


def test_shapes_that_contradict_each_other(artkit):
    torch.save(resnet_state(blocks=6) | {"model.10.conv_block.1.weight": torch.zeros(5, 5, 3, 3)}, "net.pth")
    code, _, err = artkit("models", "import", "net.pth", "--name", "odd")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "the nearest is ResNet-6, 4 filters" in err
    assert "misshaped: model.10.conv_block.1.weight (5, 5, 3, 3) for (16, 16, 3, 3)" in err


@pytest.mark.parametrize("name", ["../../out", "/out", "a/b", "..", ""])
def test_a_name_leads_nowhere_but_into_the_store(artkit, tmp_path, name):
    torch.save(resnet_state(blocks=6), "net.pth")
    code, out, err = artkit("models", "import", "net.pth", "--name", name)
    assert (code, out) == (1, "")
    assert "is no model name" in err
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_unet_takes_100_by_37(artkit):
    torch.save(unet_state(levels=7), "latest_net_G.pth")
    code, _, err = artkit("run", paint("a.png", 100, 37), "--chain", "pix2pix(model=latest_net_G.pth)", "-o", "b.png")
    assert code == 0, err
    with Image.open("b.png") as image:
        assert image.size == (100, 37)


@pytest.mark.parametrize("counts", [(5, 2), (1, 1), (1, 4)])
def test_domains_of_unequal_sizes_and_of_one_picture(artkit, counts):
    for domain, count in zip("AB", counts, strict=True):
        for index in range(count):
            paint(f"data/train{domain}/{domain}{index}.png", seed=index)
    code, _, err = artkit("train", "cyclegan", "data", "-o", "run", *TINY)
    assert code == 0, err
    assert Path("run/model.safetensors").exists()


@pytest.mark.parametrize("command", [["data", "check", "data"], ["train", "cyclegan", "data", "-o", "run", *TINY]])
def test_an_empty_domain(artkit, command):
    paint("data/trainA/1.png")
    Path("data/trainB").mkdir()
    code, out, err = artkit(*command)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "data/trainB holds no pictures" in err
    assert not Path("run").exists()


def test_captions_of_pictures_that_are_not_there(artkit):
    for index in range(6):
        for column in ("input", "target"):
            paint(f"data/{column}/{index}.png", seed=index)
    rows = [f"{index}.png\tbright" for index in range(6)] + ["gone.png\tdark", "lost.png\tdark"]
    Path("data/captions.tsv").write_text("\n".join(["file\ttone", *rows]) + "\n")
    code, out, _ = artkit("data", "check", "data")
    assert code == 1
    assert "gone has a row of captions and no picture" in out.replace("gone.png", "gone")
    code, _, err = artkit("train", "pix2pix", "data", "-o", "run", *TINY)
    assert code == 0, err
    assert "2 rows of its captions name pictures that are not there" in err


@pytest.mark.parametrize("crop", ["30", "8"])
def test_a_crop_that_does_not_fit(artkit, crop):
    for domain in "AB":
        paint(f"data/{domain}/{domain}.png")
    code, _, err = artkit("train", "cyclegan", "data", "-o", "run", *TINY, "--crop", crop)
    assert (code, len(err.splitlines())) == (2, 1)
    assert f"crop={crop} does not fit the networks: try" in err
