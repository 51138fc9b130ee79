"""`artkit models pull hf:USER/REPO` and `push`: against a hub on this machine; what is pulled is a stranger's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.cli import main
from artkit.exporting.pushing import make_card
from artkit.models import data_home, model_hash, read_header, save_model
from artkit.models.hub import Place
from artkit.spec import Kind, ModelHeader
from hub_kit import Hub, open_hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.chdir(tmp_path)
    with open_hub() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        yield found


def model_bytes(folder: Path, **facts) -> bytes:
    """Return a model file of touchup with nothing in it that could be run; it is pulled, not used."""
    known = {"method": "touchup", "architecture": "subpixel", "inputs": {"image": Kind.IMAGE}, "output": Kind.IMAGE}
    path = folder / "made.safetensors"
    save_model(path, ModelHeader(**known | facts), {"a": torch.ones(3)})
    return path.read_bytes()


def pull(*words: str) -> int:
    return main(["models", "pull", *words])


def test_a_model_is_pulled_pinned_by_its_commit_and_used_by_the_name_of_its_repository(hub, tmp_path, capsys):
    first = hub.commit(
        "anna/soft.light", {"model.safetensors": model_bytes(tmp_path, name="one"), "README.md": b"hello"}
    )
    second = hub.commit("anna/soft.light", {"model.safetensors": model_bytes(tmp_path, name="two")})
    assert pull("hf:anna/soft.light") == 0
    told = capsys.readouterr()
    target = data_home() / "models" / "touchup" / "soft-light.safetensors"
    assert told.out.strip() == str(target)
    assert f"this is hf:anna/soft.light@{second}" in told.err
    training = read_header(target).training
    assert training["source"] == f"hf:anna/soft.light@{second}"
    assert len(training["sha256"]) == 64
    assert hub.asked[-1] == f"/anna/soft.light/resolve/{second}/model.safetensors"

    asked = len(hub.asked)
    assert pull("hf:anna/soft.light", "--json") == 0
    assert json.loads(capsys.readouterr().out)["fresh"] is False
    assert len(hub.asked) == asked + 1  # which commit is `main`, and no file

    assert pull(f"hf:anna/soft.light@{first}") == 1  # another model of that name
    assert "touchup has another model 'soft-light'. To replace it, add --overwrite." in capsys.readouterr().err
    assert pull(f"hf:anna/soft.light@{first}", "--overwrite") == 0
    assert read_header(target).training["source"].endswith(first)
    assert not list((data_home() / "pulls").rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hf:anna", "'hf:anna' is no place on the hub: write hf:USER/REPO"),
        ("hf:../x", "is no place on the hub"),
        ("hf:anna/soft@../../x", "is no place on the hub"),
        ("hf:anna/soft?a=1", "is no place on the hub"),
    ],
)
def test_what_is_no_place_is_refused_unasked(hub, text, words, capsys):
    assert pull(text) == 2
    assert words in capsys.readouterr().err
    assert hub.asked == []


def test_what_is_not_there_is_one_line(hub, tmp_path, capsys):
    assert pull("hf:anna/none") == 1
    assert capsys.readouterr().err == "artkit: there is no hf:anna/none@main on the hub, or it is private.\n"
    hub.commit("anna/words", {"README.md": b"hello", "deep/model.safetensors": b"x"})
    assert pull("hf:anna/words") == 1
    assert "it has no .safetensors file, and no model.safetensors" in capsys.readouterr().err
    hub.commit("anna/two", {"a.safetensors": b"x", "b.safetensors": b"x"})
    assert pull("hf:anna/two") == 1
    assert "it has 2 .safetensors files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x80\x04pickled.....", "is a pickle"),
        (b"<html>no</html>", "cannot be used"),
        (b"", "cannot be used"),
    ],
)
def test_what_is_no_model_is_refused_and_gone(hub, data, words, capsys):
    hub.commit("anna/bad", {"model.safetensors": data})
    assert pull("hf:anna/bad") == 1
    assert words in capsys.readouterr().err
    assert not list((data_home() / "models").rglob("*")) if (data_home() / "models").exists() else True
    assert not [path for path in data_home().rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_model_of_no_known_method_is_refused(hub, tmp_path, capsys):
    hub.commit("anna/odd", {"model.safetensors": model_bytes(tmp_path, method="../../evil")})
    assert pull("hf:anna/odd") == 1
    assert "is a model of '../../evil', and no plugin here has that method" in capsys.readouterr().err


def test_a_file_that_is_not_the_one_the_hub_names_is_refused(hub, tmp_path, capsys):
    sha = hub.commit("anna/soft", {"model.safetensors": model_bytes(tmp_path)})
    hub.answers[f"/anna/soft/resolve/{sha}/"] = (200, model_bytes(tmp_path, name="other"))
    assert pull("hf:anna/soft") == 1
    assert "is not what was expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    "told", [b"[]", b"\xff", b'{"sha": "../../x", "siblings": []}', b"x" * 5_000_000, b"{" * 100_000]
)
def test_a_hub_that_talks_nonsense(hub, told, capsys):
    hub.answers["/api/models/"] = (200, told)
    assert pull("hf:anna/soft") == 1
    assert "is not what a hub tells" in capsys.readouterr().err


def test_a_hub_that_fails_or_is_gone(hub, monkeypatch, capsys):
    hub.answers["/api/models/"] = (500, b"")
    assert pull("hf:anna/soft") == 1
    assert "the hub answers '500" in capsys.readouterr().err
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert pull("hf:anna/soft") == 1
    assert "cannot ask the hub for hf:anna/soft@main: there is no connection to 127.0.0.1." in capsys.readouterr().err


def test_what_is_for_the_catalogue_alone(hub, capsys):
    assert pull("hf:anna/soft", "--mirror", "http://example.org") == 2
    assert "a model of the hub is pinned by hf:...@COMMIT" in capsys.readouterr().err


def paint(folder: Path) -> Path:
    """Make a picture with a model that ships."""
    Image.fromarray(np.full((16, 24, 3), 90, np.uint8)).save(folder / "in.png")
    assert main(["run", str(folder / "in.png"), "--chain", "touchup", "-o", str(folder / "out.png")]) == 0
    return folder / "out.png"


def test_what_is_pushed_can_be_pulled_and_its_card_says_what_it_is(hub: Hub, tmp_path, capsys):
    pytest.importorskip("huggingface_hub", reason="pushing is not tested: pip install -c constraints.txt '.[hub]'")
    sample = paint(tmp_path)
    capsys.readouterr()
    assert main(["models", "push", "touchup/landscape", "hf:me/glow", "--sample", str(sample)]) == 0
    place = capsys.readouterr().out.strip()
    sha, files = hub.find("me/glow", "main") or ("", {})
    assert place == f"hf:me/glow@{sha}"
    assert set(files) == {"model.safetensors", "README.md", "sample.png"}
    assert files["sample.png"] == sample.read_bytes()
    card = files["README.md"].decode()
    assert card.startswith("---\nlibrary_name: artkit\npipeline_tag: image-to-image\nlicense: cc0-1.0\n")
    assert "artkit models pull hf:me/glow\nartkit run in.png --chain 'touchup(model=glow)' --seed 0\n" in card
    assert "hf_secret" not in card
    assert pull(place) == 0
    pulled = Path(capsys.readouterr().out.strip())
    assert pulled.stem == "glow"
    assert main(["run", str(tmp_path / "in.png"), "--chain", "touchup(model=glow)", "-o", "again.png"]) == 0
    with Image.open("again.png") as again, Image.open(sample) as first:
        assert np.array_equal(np.asarray(again), np.asarray(first))


def test_a_sample_of_another_model_is_refused_unasked(hub, tmp_path, capsys):
    sample = paint(tmp_path)
    assert main(["models", "push", "semgan/landscape", "hf:me/glow", "--sample", str(sample)]) == 1
    assert "says nothing of this model: give a PNG that it made" in capsys.readouterr().err
    assert hub.asked == []


def test_what_the_hub_refuses_is_one_line(hub, tmp_path, monkeypatch, capsys):
    pytest.importorskip("huggingface_hub", reason="pushing is not tested: pip install -c constraints.txt '.[hub]'")
    sample = paint(tmp_path)
    capsys.readouterr()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert main(["models", "push", "touchup/landscape", "hf:me/glow", "--sample", str(sample)]) == 1
    assert capsys.readouterr().err.startswith("artkit: the hub did not take hf:me/glow: ")


def test_without_the_package_it_says_what_to_type(hub, tmp_path, monkeypatch, capsys):
    sample = paint(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert main(["models", "push", "touchup/landscape", "hf:me/glow", "--sample", str(sample)]) == 1
    assert "pip install -c constraints.txt '.[hub]'" in capsys.readouterr().err


def test_a_card_is_no_markup_whatever_a_header_says(tmp_path):
    hostile = "a | b <script>\n---\n# `x`\x1b[31m"
    header = ModelHeader(
        method="touchup",
        summary=hostile,
        architecture="x",
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        licence=hostile,
        training={"data": hostile, "steps": 3},
    )
    save_model(tmp_path / "m.safetensors", header, {"a": torch.ones(1)})
    record = {"chain": "touchup(model='a`b')", "input": "x`\n```\n# y.png", "seed": 1}
    card = make_card(header, Place("me", "glow", "main"), tmp_path / "m.safetensors", record)
    body = card.split("---\n", 2)[2]
    assert "<script>" not in card
    assert "\x1b" not in card
    assert card.count("```") == 2
    assert [line for line in body.splitlines() if line.startswith(("#", "---"))] == ["# glow"]
    assert "license: other" in card
    assert f"| SHA-256 | {model_hash(tmp_path / 'm.safetensors')}" in card
