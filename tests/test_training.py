"""The training loop: runs that resume bit for bit, complete checkpoints, logs, sheets, exports."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from artkit.errors import DataError, OptionError, OutputError, PluginError, TrainingError, UsageError
from artkit.models.file import load_model
from artkit.runs import read_record
from artkit.training import NullReporter, export_run, train
from artkit.training.trainer import Settings

TINY = {
    "network": "subpixel",
    "width": 8,
    "blocks": 2,
    "detail": (4, 4),
    "norm": "instance",
    "receptive_field": 16,
    "widths": (4,),
}
SHORT = {"batch": 2, "crop": 16, "log_every": 2, "sample_every": 4, "checkpoint_every": 4, "precision": "fp32"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    (root / "classes.txt").write_text("0 sky 0 0 255\n1 grass 0 255 0\n")
    for index in range(6):
        random = np.random.default_rng(index)
        labels = random.integers(0, 2, (20, 24), dtype=np.uint8)
        picture = random.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        for column, pixels in (("label", labels), ("photo", picture)):
            path = root / ("val" if index == 5 else "train") / column / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


def run(pairs, folder, steps, resume=False, **changes):
    values = TINY | SHORT | {"steps": steps} | changes
    return train("pix2pix", str(pairs), folder, values=values, resume=resume)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_all_convolutions_learn_in_the_layout_of_the_machine(pairs, tmp_path, monkeypatch, memory_format):
    for module in ("artkit.nn.layout", "artkit.training.loop"):
        monkeypatch.setattr(f"{module}.training_format", lambda device: memory_format)
    seen = []

    def note(layer, inputs):
        x = inputs[0]
        learned = isinstance(layer, nn.Conv2d) and not torch.is_inference_mode_enabled()
        if learned and x.shape[1] > 1 and x.shape[-1] > 1:  # else both layouts are one
            seen.append(x.is_contiguous(memory_format=memory_format))
            assert layer.weight.is_contiguous(memory_format=memory_format)

    hook = register_module_forward_pre_hook(note)
    try:
        run(pairs, tmp_path / "run", 2, norm="batch")
    finally:
        hook.remove()
    assert len(seen) > 20
    assert all(seen)


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def assert_equal(a, b, where=""):
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_equal(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list | tuple):
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_equal(x, y, f"{where}/{index}")
    else:
        assert a == b, where


@pytest.mark.parametrize(
    "changes", [{}, {"noise": "strokes"}, {"input_noise": "labels", "gan": "hinge", "matching": 1.0}]
)
def test_stopping_and_resuming_changes_nothing(pairs, tmp_path, changes, monkeypatch):
    run(pairs, tmp_path / "whole", 8, **changes)
    half = tmp_path / "half"
    stop_after(monkeypatch, 4)
    with pytest.raises(KeyboardInterrupt):
        run(pairs, half, 8, **changes)
    monkeypatch.undo()
    assert state(half)["step"] == 4
    run(pairs, half, 8, resume=True, **changes)
    assert_equal(state(tmp_path / "whole"), state(half))
    assert (half / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()


def stop_after(monkeypatch, step):
    """Ask the loop to stop at `step`, as Ctrl-C does."""
    from artkit.training.loop import Loop

    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        if self.step == step:
            self._ask_to_stop()
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)


SCRIPT = """
import json, sys
from pathlib import Path
from artkit.training import train
train("pix2pix", sys.argv[1], Path(sys.argv[2]), values=json.loads(sys.argv[3]))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_from_its_checkpoint(pairs, tmp_path, how):
    values = TINY | SHORT | {"steps": 100_000, "checkpoint_every": 1}
    command = [sys.executable, "-c", SCRIPT, str(pairs), str(tmp_path / "run"), json.dumps(values)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoint.pt").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(how)
    process.communicate()
    reached = state(tmp_path / "run")["step"]
    run(pairs, tmp_path / "run", reached + 2, resume=True)
    assert state(tmp_path / "run")["step"] == reached + 2


def test_the_log_has_a_row_for_every_report_and_none_twice(pairs, tmp_path, monkeypatch):
    stop_after(monkeypatch, 6)
    with pytest.raises(KeyboardInterrupt):
        run(pairs, tmp_path / "run", 8, checkpoint_every=100)
    monkeypatch.undo()
    run(pairs, tmp_path / "run", 8, resume=True)
    with (tmp_path / "run" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4", "6", "8"]
    assert float(rows[0]["l1"]) > 0


def test_whoever_watches_hears_of_every_step(pairs, tmp_path):
    class Listener(NullReporter):
        steps, reports = [], []

        def tick(self, step):
            self.steps.append(step)

        def step(self, step, losses, images_per_second, eta):
            self.reports.append((step, sorted(losses), images_per_second > 0, eta * images_per_second))

    values = TINY | SHORT | {"steps": 4}
    train("pix2pix", str(pairs), tmp_path / "run", values=values, reporter=Listener())
    assert Listener.steps == [1, 2, 3, 4]
    assert [step for step, *_ in Listener.reports] == [2, 4]
    assert all("l1" in names and fast for _, names, fast, _ in Listener.reports)
    assert [left for *_, left in Listener.reports] == pytest.approx([2 * values["batch"], 0])  # pictures that are due


def test_sheets_come_on_schedule(pairs, tmp_path):
    run(pairs, tmp_path / "run", 8)
    assert sorted(path.name for path in (tmp_path / "run" / "samples").iterdir()) == ["000004.png", "000008.png"]


def test_export_on_demand_equals_the_export_at_the_end(pairs, tmp_path):
    model = run(pairs, tmp_path / "run", 4)
    again = export_run(tmp_path / "run", tmp_path / "again.safetensors")
    assert_equal(load_model(model).tensors, load_model(again).tensors)


def test_without_ema_the_last_weights_are_exported(pairs, tmp_path):
    model = run(pairs, tmp_path / "run", 4, ema=0.0)
    exported = load_model(model).tensors
    for name, weight in state(tmp_path / "run")["networks"]["generator"].items():
        assert torch.equal(exported[f"generator.{name}"], weight.half().float())


def test_a_folder_with_a_run_is_not_overwritten(pairs, tmp_path):
    run(pairs, tmp_path / "run", 2)
    with pytest.raises(TrainingError, match="--resume"):
        run(pairs, tmp_path / "run", 2)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", b"\x80\x04cos\nsystem\n"])
def test_damaged_checkpoints_are_refused(pairs, tmp_path, damage):
    run(pairs, tmp_path / "run", 2)
    (tmp_path / "run" / "checkpoint.pt").write_bytes(damage)
    with pytest.raises(TrainingError, match="damaged"):
        run(pairs, tmp_path / "run", 4, resume=True)


def test_a_truncated_checkpoint_is_refused(pairs, tmp_path):
    run(pairs, tmp_path / "run", 2)
    path = tmp_path / "run" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(TrainingError, match="damaged"):
        run(pairs, tmp_path / "run", 4, resume=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"step": 3}, "no option 'step'.*'steps'"),
        ({"steps": 0}, "steps"),
        ({"network": "unet_265"}, "unet_265"),
        ({"conditions": ["time"], "network": "unet_128"}, "no column 'time'"),
    ],
)
def test_wrong_values_are_usage_errors(pairs, tmp_path, values, words):
    with pytest.raises((OptionError, UsageError, DataError), match=words):
        train("pix2pix", str(pairs), tmp_path / "run", values=values)
    assert not (tmp_path / "run").exists()


def test_resuming_nothing_says_so(pairs, tmp_path):
    with pytest.raises(TrainingError, match="not a training run"):
        run(pairs, tmp_path / "nowhere", 2, resume=True)


def break_at(monkeypatch, step):
    """Let the loss be NaN from `step` on."""
    from artkit.training.loop import Loop

    def breaking(self, batch):
        self.step += 1
        return {"l1": torch.tensor(float("nan") if self.step >= step else 1.0)}

    monkeypatch.setattr(Loop, "_train", breaking)


def test_a_loss_that_breaks_stops_the_run(pairs, tmp_path, monkeypatch):
    break_at(monkeypatch, 1)
    with pytest.raises(TrainingError, match="'l1' became NaN"):
        run(pairs, tmp_path / "run", 4)


def test_no_checkpoint_is_written_after_a_loss_broke(pairs, tmp_path, monkeypatch):
    break_at(monkeypatch, 4)
    with pytest.raises(TrainingError, match="'l1' became NaN"):
        run(pairs, tmp_path / "run", 100, log_every=50, checkpoint_every=3)
    assert state(tmp_path / "run")["step"] == 3


@pytest.mark.parametrize(
    ("method", "changes", "words"),
    [
        ("semgan", {}, "is a run of pix2pix, not of semgan"),
        ("pix2pix", {"batch": 3}, "was started with batch=2.*leave batch out"),
        ("pix2pix", {"l1": 1}, "was started with l1=100.0"),
        ("pix2pix", {"widht": 8}, "Did you mean 'width'"),
    ],
)
def test_a_resumed_run_stays_what_it_was(pairs, tmp_path, method, changes, words):
    run(pairs, tmp_path / "run", 2)
    with pytest.raises(UsageError, match=words):
        train(method, "", tmp_path / "run", values={"steps": 4} | changes, resume=True)
    assert state(tmp_path / "run")["step"] == 2


def test_a_resumed_run_may_be_watched_more_closely_and_find_its_data_elsewhere(pairs, tmp_path):
    data = tmp_path / "here"
    shutil.copytree(pairs, data)
    run(data, tmp_path / "run", 2)
    moved = data.rename(tmp_path / "there")
    values = {"steps": 4, "log_every": 1, "width": str(TINY["width"])}
    train("pix2pix", str(moved), tmp_path / "run", values=values, resume=True)
    assert state(tmp_path / "run")["step"] == 4
    assert read_record(tmp_path / "run").data == str(moved)


def test_a_folder_of_other_things_becomes_no_run(pairs, tmp_path):
    before = sorted(pairs.rglob("*"))
    with pytest.raises(TrainingError, match="not empty and holds no run"):
        run(pairs, pairs, 2)
    assert sorted(pairs.rglob("*")) == before
    with pytest.raises(TrainingError, match="is a file"):
        run(pairs, pairs / "classes.txt", 2)


def test_a_full_disk_is_told_in_a_line_and_leaves_the_last_checkpoint(pairs, tmp_path):
    run(pairs, tmp_path / "run", 4)
    with small_files(10_000), pytest.raises(OutputError, match=r"checkpoint\.pt: the file would be larger"):
        run(pairs, tmp_path / "run", 8, resume=True, checkpoint_every=1)
    assert state(tmp_path / "run")["step"] == 4
    assert not list((tmp_path / "run").glob(".*"))
    (tmp_path / "run" / "log.csv").unlink()
    (tmp_path / "run" / "log.csv").mkdir()
    with pytest.raises(OutputError, match=r"Cannot write .*log\.csv"):
        run(pairs, tmp_path / "run", 8, resume=True)


@contextmanager
def small_files(limit):
    """Let the system refuse to write files past `limit` bytes."""
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"method": "pix2pix", "data": 3, "values": {}}'])
def test_a_damaged_record_is_no_run(pairs, tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(TrainingError, match="not a training run"):
        run(pairs, tmp_path, 2, resume=True)


def test_the_rate_is_constant_then_falls_in_a_line():
    settings = Settings(steps=100, decay_from=0.5)
    assert [settings.rate(step) for step in (0, 49, 50, 75, 100)] == [1, 1, 1, 0.5, 0]


def test_unpaired_pictures_are_refused_by_a_method_that_learns_from_pairs(pairs, tmp_path):
    for column, names in (("label", "abc"), ("photo", "def")):
        (tmp_path / "data" / column).mkdir(parents=True)
        for name in names:
            shutil.copy(pairs / "train" / column / "1.png", tmp_path / "data" / column / f"{name}.png")
    told = (
        f"pix2pix learns from pairs, and the pictures of {tmp_path / 'data'} are unpaired (label, photo): "
        "name partners alike, or train a method for unpaired pictures (cyclegan)."
    )
    with pytest.raises(DataError, match=f"^{re.escape(told)}$"):
        run(tmp_path / "data", tmp_path / "run", 2)
    assert not (tmp_path / "run").exists()


def test_data_are_made_in_full_precision(pairs, tmp_path, monkeypatch):
    """A dataset may compute its pictures; those of the sheets, too, are no matter of the networks' arithmetic."""
    from artkit.data.folder import FolderDataset

    seen, load = [], FolderDataset.load

    def watched(self, index, names):
        seen.append(torch.is_autocast_enabled("cpu"))
        return load(self, index, names)

    monkeypatch.setattr(FolderDataset, "load", watched)
    run(pairs, tmp_path / "run", 2, precision="bf16")
    assert seen
    assert not any(seen)


def failing(error):
    def step(self, batch):
        raise error

    return step


def test_an_error_in_a_step_names_the_trainer_in_one_line(pairs, tmp_path, monkeypatch):
    monkeypatch.delenv("ARTKIT_STRICT", raising=False)
    monkeypatch.setattr("artkit_pix2pix.trainer.Pix2PixTrainer.training_step", failing(IndexError("of range\nout")))
    with pytest.raises(PluginError) as caught:
        run(pairs, tmp_path / "run", 2)
    told = (
        "artkit_pix2pix.trainer.Pix2PixTrainer failed in step 0: IndexError: of range out. ARTKIT_STRICT=1 shows where."
    )
    assert str(caught.value) == told
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(IndexError):
        run(pairs, tmp_path / "strict", 2)


def test_a_step_without_memory_says_what_to_lower(pairs, tmp_path, monkeypatch):
    error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
    monkeypatch.setattr("artkit_pix2pix.trainer.Pix2PixTrainer.training_step", failing(error))
    with pytest.raises(TrainingError, match="ran out of memory: lower --batch or --crop"):
        run(pairs, tmp_path / "run", 2)
