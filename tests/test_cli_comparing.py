"""`artkit run --recipe art.png --check`: what is other here is said, nothing is computed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from artkit import __version__
from artkit.chain import read_recipe
from artkit.images import read_picture, read_provenance, write_picture
from cli_kit import open_shell

shell = pytest.fixture(open_shell)


CHECK = ("run", "--recipe", "art.png", "--check")


@pytest.fixture
def made(shell, monkeypatch):
    """A shell beside a picture that a model and a filter made."""
    monkeypatch.setenv("ARTKIT_PLUGINS", "touchup")
    shell.paint("in.png")
    assert shell("run", "in.png", "--chain", "fade,touchup", "-o", "art.png").code == 0
    return shell


def forge(**facts) -> None:
    """Write other facts into the picture's record."""
    record = read_provenance("art.png")
    write_picture(read_picture("art.png"), "art.png", overwrite=True, provenance=record | facts)


def test_nothing_is_other(made, monkeypatch):
    before = made.files()
    monkeypatch.setattr("artkit.engine.loading.load_step", lambda *given: pytest.fail("it ran"))
    outcome = made(*CHECK)
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    assert outcome.err.endswith("artkit: nothing is other here.\n")
    assert made.files() == before


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"version": "0.0.9"}, f"artkit: 0.0.9 there, {__version__} here"),
        ({"torch": "1.0"}, f"torch: 1.0 there, {torch.__version__} here"),
        ({"device": "cuda:0"}, "device: cuda:0 there, cpu here"),
        ({"precision": "fp16"}, "precision: fp16 there, "),
        ({"plugins": {"touchup": "0.0.9"}}, f"plugin touchup: 0.0.9 there, {__version__} here"),
        ({"plugins": {"sunset": "2.1"}}, "plugin sunset: 2.1 there, missing here"),
        ({"models": {"touchup/landscape": "0" * 12}}, f"model touchup/landscape: {'0' * 12} there, "),
        ({"models": {"touchup/gone": "0" * 12}}, f"model touchup/gone: {'0' * 12} there, missing here"),
        ({"models": {"touchup//etc/passwd": "0" * 12}}, f"model touchup//etc/passwd: {'0' * 12} there, missing here"),
    ],
)
def test_one_thing_is_other(made, facts, line):
    forge(**facts)
    outcome = made(*CHECK)
    assert outcome.code == 1
    assert [one for one in outcome.lines() if one.startswith(line)], outcome.out
    assert len(outcome.lines()) == 1
    assert outcome.err.endswith("artkit: what it makes here may be another picture.\n")


def test_what_is_asked_for_is_compared(made):
    assert made(*CHECK, "--device", "cpu", "--precision", read_provenance("art.png")["precision"]).code == 0
    other = "fp32" if read_provenance("art.png")["precision"] == "bf16" else "bf16"
    assert made(*CHECK, "--precision", other).lines() == [
        f"precision: {read_provenance('art.png')['precision']} there, {other} here"
    ]


def test_what_keeps_it_from_running(made, monkeypatch):
    Path("in.png").unlink()
    outcome = made(*CHECK)
    assert outcome.code == 1
    assert "artkit: it would not run: art.png was made from in.png, which is not beside it" in outcome.err
    monkeypatch.setenv("ARTKIT_PLUGINS", "")
    outcome = made(*CHECK)
    assert "plugin touchup: " in outcome.out
    assert "model touchup/landscape: " in outcome.out
    assert outcome.out.count("missing here") == 2


def test_as_json(made):
    forge(torch="1.0")
    document = json.loads(made(*CHECK, "--json").out)
    assert document["differences"] == [{"what": "torch", "there": "1.0", "here": str(torch.__version__)}]
    assert document["obstacle"] is None


def test_a_toml_recipe_names_versions_too(made):
    recipe = read_recipe("art.png")
    assert "touchup" in recipe.plugins
    Path("art.toml").write_text(recipe.to_toml())
    assert read_recipe("art.toml").models == recipe.models
    assert read_recipe("art.toml").plugins == recipe.plugins
    check = ("run", "in.png", "--recipe", "art.toml", "--check")
    assert made(*check).code == 0
    text = Path("art.toml").read_text()
    Path("art.toml").write_text(text.replace(recipe.models["touchup/landscape"], "0" * 12))
    assert made(*check).lines()[0].startswith(f"model touchup/landscape: {'0' * 12} there")
    outcome = made("run", "in.png", "--recipe", "art.toml", "-o", "again.png")
    assert "touchup/landscape is not the model that made the picture" in outcome.err


def test_a_model_by_its_path(made):
    from artkit.models import find_model
    from artkit.plugins import current_registry

    found = find_model("touchup", "landscape", current_registry(), None)
    Path("mine.safetensors").write_bytes(found.read_bytes())
    assert made("run", "in.png", "--chain", "touchup(model='mine.safetensors')", "-o", "mine.png").code == 0
    assert made("run", "--recipe", "mine.png", "--check").code == 0
    Path("mine.safetensors").write_bytes(b"other")
    outcome = made("run", "--recipe", "mine.png", "--check")
    assert outcome.lines()[0].startswith("model touchup/mine: ")
    assert "it would not run" in outcome.err


def test_recipes_that_say_nothing(made):
    Path("plain.toml").write_text('chain = "fade"')
    outcome = made("run", "in.png", "--recipe", "plain.toml", "--check")
    assert (outcome.code, outcome.out) == (0, "")
    assert "the recipe does not say with what it was made." in outcome.err
    assert made("run", "in.png", "--chain", "fade", "--check").code == 2


NONSENSE = ({"plugins": 3, "models": [1]}, {"plugins": {"a": 1}, "models": {"b": None}}, {"torch": {}, "version": [2]})


@pytest.mark.parametrize("facts", NONSENSE)
def test_records_of_nonsense(made, facts):
    forge(**facts)
    outcome = made(*CHECK)
    assert outcome.code in (0, 1)
    assert "fault in artkit" not in outcome.err
