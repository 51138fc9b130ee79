"""Models that cannot be used: one clear line, exit code 1, nothing written."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from artkit.models import save_model
from artkit.spec import Kind, ModelHeader
from cli_kit import forget_module, open_shell

PLUGIN = Path(__file__).parent / "tiny_training.py"
COLOUR = {"generator.colour": torch.zeros(1, 3, 1, 1)}
NAN = {"generator.colour": torch.full((1, 3, 1, 1), float("nan"))}
WRONG_SHAPE = {"generator.colour": torch.zeros(1, 4, 1, 1)}


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    forget_module(monkeypatch, PLUGIN.stem)
    return open_shell(tmp_path, monkeypatch, capsys)


def header(method: str = "tint") -> ModelHeader:
    return ModelHeader(method=method, architecture="tint", inputs={"image": Kind.IMAGE}, output=Kind.IMAGE)


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))


def write_without_header(path: Path) -> None:
    save_file(COLOUR, path)


def write_truncated(path: Path) -> None:
    save_model(path, header(), COLOUR)
    path.write_bytes(path.read_bytes()[:-4])


def write_nan(path: Path) -> None:
    torch_file = path.with_name("whole.safetensors")
    save_model(torch_file, header(), COLOUR)
    data = torch_file.read_bytes()
    torch_file.unlink()
    path.write_bytes(data[:-12] + NAN["generator.colour"].numpy().tobytes())


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (write_pickle, ("a pickle of other things than tensors",)),
        (write_without_header, ("no network artkit knows", "generator.colour")),
        (write_truncated, ("cut short",)),
        (lambda path: path.write_text("not a model at all"), ("safetensors",)),
        (lambda path: path.write_bytes(b""), ("cut short",)),
        (lambda path: save_model(path, header(), {}), ("generator.colour",)),
        (lambda path: save_model(path, header(), WRONG_SHAPE), ("generator.colour",)),
        (lambda path: save_model(path, header("pix2pix"), COLOUR), ("pix2pix", "tint")),
        (write_nan, ("generator.colour",)),
    ],
    ids=["pickle", "no header", "truncated", "text", "empty", "missing tensor", "wrong shape", "other method", "NaN"],
)
def test_model_that_cannot_be_used(shell, write, words):
    picture = shell.paint("a.png")
    write(shell.folder / "m.safetensors")
    outcome = shell("--plugin", PLUGIN, "run", picture, "--chain", "tint(model='m.safetensors')")
    assert outcome.code in (1, 2), outcome.err
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    for word in ("m.safetensors", *words):
        assert word in line
    assert shell.files() == {"a.png", "m.safetensors"}


def test_missing_model_says_where_it_looked(shell):
    outcome = shell("--plugin", PLUGIN, "run", shell.paint("a.png"), "--chain", "tint(model=cold)")
    assert outcome.code in (1, 2)
    assert "cold.safetensors" in outcome.err
    outcome = shell("--plugin", PLUGIN, "run", "a.png", "--chain", "tint(model='no.safetensors')")
    assert "no.safetensors" in outcome.err
