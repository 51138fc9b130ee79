"""The TensorBoard plugin: what a run tells is what TensorBoard reads, and without TensorBoard a line says so."""

from __future__ import annotations

import importlib.util

import pytest
from PIL import Image

import artkit_tensorboard
from artkit.cli import main
from artkit.plugins import PluginSource, load_registry
from artkit.spec import TrainingEvent

RUN = (
    "--steps",
    "4",
    "--batch",
    "2",
    "--crop",
    "32",
    "--best",
    "psnr",
    "--set",
    "network=resnet_6",
    "--set",
    "width=4",
)
EVERY = ("--set", "log_every=2", "--set", "checkpoint_every=2", "--set", "sample_every=4")


@pytest.fixture
def plugin(monkeypatch):
    """The registry with the plugin alone, as if it were installed."""
    monkeypatch.setenv("ARTKIT_PLUGINS", "")
    monkeypatch.setenv("ARTKIT_TENSORBOARD", "1")
    registry = load_registry()
    registry.add(PluginSource("tensorboard", lambda: artkit_tensorboard))
    return registry


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def test_a_run_becomes_scalars_and_sheets(plugin, tmp_path):
    pytest.importorskip("tensorboard")
    sheet = tmp_path / "samples" / "000004.png"
    sheet.parent.mkdir()
    Image.new("RGB", (12, 8), (200, 100, 50)).save(sheet)
    for event in (
        TrainingEvent("start", tmp_path, 0),
        TrainingEvent("score", tmp_path, 0, scores={"psnr": 11.5}),
        TrainingEvent("step", tmp_path, 2, losses={"l1": 0.5, "gan": 0.75}, learning_rate=2e-4),
        TrainingEvent("checkpoint", tmp_path, 2),
        TrainingEvent("step", tmp_path, 4, losses={"l1": 0.4, "gan": 0.7}, learning_rate=1e-4),
        TrainingEvent("sample", tmp_path, 4),
        TrainingEvent("end", tmp_path, 4),
    ):
        plugin.call("training_event", event=event)
    found = read(tmp_path / "tensorboard")
    assert set(found.Tags()["scalars"]) == {"losses/l1", "losses/gan", "learning rate", "held-out/psnr"}
    assert [(one.step, one.value) for one in found.Scalars("losses/l1")] == [(2, 0.5), (4, pytest.approx(0.4))]
    assert [one.value for one in found.Scalars("learning rate")] == pytest.approx([2e-4, 1e-4])
    (image,) = found.Images("sheet")
    assert (image.step, image.width, image.height) == (4, 12, 8)
    assert artkit_tensorboard.writing._writers == {}


def test_steps_that_are_taken_again_are_shown_once(plugin, tmp_path):
    pytest.importorskip("tensorboard")
    for event in (
        TrainingEvent("start", tmp_path, 0),
        *(TrainingEvent("step", tmp_path, step, losses={"l1": 1.0}) for step in (2, 4, 6)),
        TrainingEvent("start", tmp_path, 4),
        TrainingEvent("step", tmp_path, 6, losses={"l1": 3.0}),
        TrainingEvent("end", tmp_path, 6),
    ):
        plugin.call("training_event", event=event)
    found = read(tmp_path / "tensorboard")
    assert [(one.step, one.value) for one in found.Scalars("losses/l1")] == [(2, 1.0), (4, 1.0), (6, 3.0)]


def test_a_training_run_writes_them_when_it_is_asked_to(plugin, tmp_path, monkeypatch, capsys):
    pytest.importorskip("tensorboard")
    monkeypatch.delenv("ARTKIT_PLUGINS")
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    data = "landscapes(count=12,size=[48,48])"
    assert main(["train", "pix2pix", data, "-o", str(tmp_path / "run"), *RUN, *EVERY]) == 0, capsys.readouterr().err
    found = read(tmp_path / "run" / "tensorboard")
    assert [one.step for one in found.Scalars("losses/l1")] == [2, 4]
    assert [one.step for one in found.Scalars("held-out/psnr")] == [0, 2, 4]
    assert [one.step for one in found.Images("sheet")] == [4]


def test_without_tensorboard_a_line_says_what_to_install_and_training_goes_on(plugin, tmp_path, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name))
    for kind in ("start", "step"):
        plugin.call("training_event", event=TrainingEvent(kind, tmp_path, 0))
    (line,) = capsys.readouterr().err.splitlines()
    assert "plugin 'tensorboard'" in line
    assert "pip install tensorboard" in line
    assert not (tmp_path / "tensorboard").exists()


@pytest.mark.parametrize("switch", [None, "", "0"])
def test_unasked_it_does_nothing(plugin, tmp_path, monkeypatch, switch):
    if switch is None:
        monkeypatch.delenv("ARTKIT_TENSORBOARD")
    else:
        monkeypatch.setenv("ARTKIT_TENSORBOARD", switch)
    plugin.call("training_event", event=TrainingEvent("start", tmp_path, 0))
    assert list(tmp_path.iterdir()) == []
