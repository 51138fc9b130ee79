"""From a folder of pairs to a model and its scores: train, interrupt, resume, export, show, run, evaluate."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from artkit.cli import progress
from artkit.cli.parameters import collect_settings
from artkit.engine import Runner
from cli_kit import command, environment, forget_module, heed_interrupts, open_shell, pixels_of

PLUGIN = Path(__file__).parent / "tiny_training.py"
QUICK = ("--steps", 3, "--batch", 2, "--crop", 8, "--set", "learning_rate=0.1", "--set", "ema=0")


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    """A shell beside a folder of twenty pairs whose B is lighter than A by 60 levels."""
    forget_module(monkeypatch, PLUGIN.stem)
    shell = open_shell(tmp_path, monkeypatch, capsys)
    for index in range(20):
        shell.paint(f"pairs/A/{index}.png", 100, size=(16, 12))
        shell.paint(f"pairs/B/{index}.png", 160, size=(16, 12))
    return shell


def train(shell, *arguments):
    return shell("--plugin", PLUGIN, "train", *arguments)


def test_training_gives_a_model_that_runs(shell):
    outcome = train(shell, "tint", "pairs", "-o", "run", *QUICK)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    (model,) = outcome.lines()
    ran = shell("--plugin", PLUGIN, "run", "pairs/A/1.png", "--chain", f"tint(model={model!r})", "-o", "lighter.png")
    assert ran.code == 0, ran.err
    assert pixels_of("lighter.png")[5, 5, 0] > 140


def test_training_from_a_recipe_as_json(shell):
    (shell.folder / "tint.toml").write_text('method = "tint"\ndata = "pairs"\nsteps = 2\ncrop = 8\nema = 0.0\n')
    outcome = train(shell, "--recipe", "tint.toml", "-o", "run", "--json")
    record = json.loads(outcome.out)
    assert record["method"] == "tint"
    assert Path(record["model"]).is_file()


def test_export_and_show(shell):
    train(shell, "tint", "pairs", "-o", "run", *QUICK)
    exported = shell("--plugin", PLUGIN, "models", "export", "run", "warm.safetensors")
    assert (exported.code, exported.lines()) == (0, ["warm.safetensors"])
    record = json.loads(shell("models", "show", "warm.safetensors", "--json").out)
    assert record["method"] == "tint"
    assert record["name"] == "warm"
    assert "tint" in shell("models", "show", "warm.safetensors").out


def test_export_replaces_a_file_only_when_told_to(shell):
    train(shell, "tint", "pairs", "-o", "run", *QUICK)
    (shell.folder / "mine.safetensors").write_text("mine")
    refused = shell("--plugin", PLUGIN, "models", "export", "run", "mine.safetensors")
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert (shell.folder / "mine.safetensors").read_text() == "mine"
    assert shell("--plugin", PLUGIN, "models", "export", "run", "mine.safetensors", "--overwrite").code == 0


def test_device_and_precision_are_flags(shell):
    outcome = train(shell, "tint", "pairs", "-o", "run", *QUICK, "--device", "cpu", "--precision", "bf16")
    assert outcome.code == 0, outcome.err
    assert '"precision": "bf16"' in (shell.folder / "run" / "run.json").read_text()


def test_progress_shows_from_the_first_step(shell, monkeypatch):
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=100)
    monkeypatch.setattr("rich.console.Console", lambda **_: terminal)
    monkeypatch.setattr(progress, "on_terminal", lambda: True)
    seen = []
    tick = progress.TrainingProgress.tick

    def draw(self, step):
        tick(self, step)
        seen.append(self.bar.tasks[0].description)

    monkeypatch.setattr(progress.TrainingProgress, "tick", draw)
    assert train(shell, "tint", "pairs", "-o", "run", *QUICK).code == 0
    assert len(seen) == 3
    assert all(re.fullmatch(r"\S+ (steps/s|s a step)  \d+:\d\d left", words) for words in seen)
    assert "3/3" in stream.getvalue()


def test_evaluate(shell):
    train(shell, "tint", "pairs", "-o", "run", *QUICK)
    chain = "tint(model='run/model.safetensors')"
    outcome = shell("--plugin", PLUGIN, "evaluate", "pairs", "--chain", chain, "--metrics", "rgb_distance", "--json")
    assert outcome.code == 0, outcome.err
    trained = json.loads(outcome.out)
    before = json.loads(shell("evaluate", "pairs", "--chain", "fade(by=1)", "--metrics", "rgb_distance", "--json").out)
    assert trained["source"] == "A"
    assert trained["target"] == "B"
    assert trained["count"] > 0
    assert trained["scores"]["rgb_distance"] < before["scores"]["rgb_distance"]


def test_evaluate_prints_a_table(shell):
    outcome = shell("evaluate", "pairs", "--chain", "invert", "--metrics", "rgb_distance,psnr")
    assert outcome.code == 0, outcome.err
    assert [line.split()[0] for line in outcome.lines()[1:]] == ["rgb_distance", "psnr"]


def test_what_is_dreamt_is_scored_as_a_set(shell):
    outcome = shell("evaluate", "pairs", "--chain", "haze", "--metrics", "patch_distance,rgb_distance", "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert (found["source"], found["target"], found["count"]) == ("", "A", 1)
    assert shell("evaluate", "pairs", "--chain", "haze", "--target", "B").lines()[0] == "dreamt 1 beside B"
    refused = shell("evaluate", "pairs", "--chain", "haze", "--source", "A")
    assert refused.code == 2
    assert refused.err == "artkit: haze starts from nothing, so there is no source: leave it out.\n"


def test_each_dream_has_a_seed_of_its_own(shell, monkeypatch):
    for index in range(20, 60):
        shell.paint(f"pairs/A/{index}.png", index, size=(16, 12))
        shell.paint(f"pairs/B/{index}.png", index, size=(16, 12))
    seen, run = [], Runner.run
    monkeypatch.setattr(Runner, "run", lambda *a, seed, **k: seen.append(seed) or run(*a, seed=seed, **k))
    assert shell("evaluate", "pairs", "--chain", "haze", "--metrics", "patch_distance", "--seed", 5, "-n", 3).code == 0
    assert seen == list(range(5, 5 + len(seen)))
    assert len(seen) > 1


def test_evaluate_knows_near_metrics(shell):
    outcome = shell("evaluate", "pairs", "--chain", "invert", "--metrics", "rgb_distanc")
    assert outcome.code == 2
    assert "rgb_distance" in outcome.err


def test_ctrl_c_writes_a_checkpoint_and_resume_goes_on(shell):
    process = subprocess.Popen(
        command(
            "--plugin", PLUGIN, "train", "tint", "pairs", "-o", "run", *QUICK, "--set", "pause=0.05", "--steps", 500
        ),
        cwd=shell.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "a step\n"
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert not [name for name in shell.files() if name.endswith(".part")]
    resumed = train(shell, "-o", "run", "--resume", "--steps", 1)
    assert resumed.code in (0, 1)
    assert "Traceback" not in resumed.err


WEAVER = """
from artkit import DatasetSpec, Kind, hookimpl

@hookimpl
def register_datasets():
    return [DatasetSpec("woven", "Pictures that take torch a while.", f"{__name__}:weave")]

def weave(options, split):
    import torch
    from artkit.data import Column, Dataset

    class Woven(Dataset):
        name = "woven"
        columns = {name: Column(name, Kind.IMAGE) for name in "AB"}

        def __len__(self):
            return 10**6 if split == "train" else 1

        def load(self, index, names):
            x = torch.rand(1, 3, 64, 64)
            for _ in range(200):
                x = torch.nn.functional.conv2d(x, torch.rand(3, 3, 3, 3), padding=1).sigmoid()
            return dict.fromkeys(names, (x[0] * 255).to(torch.uint8))

    return Woven()
"""


def test_ctrl_c_does_not_take_the_process_down_while_pictures_are_made(shell):
    (shell.folder / "weaver.py").write_text(WEAVER)
    given = ("--plugin", PLUGIN, "--plugin", "weaver.py", "train", "tint", "woven", "-o", "run", *QUICK, "--batch", 8)
    process = subprocess.Popen(
        command(*given, "--set", "pause=0.001", "--steps", 500),
        cwd=shell.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "a step\n"
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.split("\n")) == (
        130,
        ["artkit: to go on: artkit train -o run --resume", "", "artkit: stopped.", ""],
    )


def test_run_folder_that_is_taken(shell):
    train(shell, "tint", "pairs", "-o", "run", *QUICK)
    outcome = train(shell, "tint", "pairs", "-o", "run", *QUICK)
    assert outcome.code == 1
    assert "--resume" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("tint", "nowhere", "-o", "run"), 1, ("nowhere",)),
        (("tnt", "pairs", "-o", "run"), 2, ("tint",)),
        (("tint", "pairs", "-o", "run", "--set", "stps=3"), 2, ("stps", "steps")),
        (("tint", "pairs", "-o", "run", "--set", "steps"), 2, ("KEY=VALUE",)),
        (
            ("tint", "pairs", "-o", "run", "--sample-every", 5),
            2,
            ("type --set sample_every=5",),
        ),
        (("tint", "pairs", "-o", "run", "--ema=0"), 2, ("--set ema=VALUE",)),
        (("tint", "pairs", "--pause", "-o", "run"), 2, ("--set pause=VALUE",)),
        (("tint", "pairs", "-o", "run", "--ema"), 2, ("--set ema=VALUE",)),
        (("tint", "pairs", "-o", "run", "--stepz", 5), 2, ("--stepz", "--steps")),
        (("tint", "pairs", "-o", "run", "--device", "gpu"), 2, ("gpu",)),
        (("tint", "pairs", "-o", "run", "--precision", "fp8"), 2, ("fp8", "fp32")),
        (("tint", "-o", "run"), 2, ("DATA",)),
        (("-o", "run"), 2, ("METHOD",)),
        (("invert", "pairs", "-o", "run"), 2, ("invert", "tint")),
        (("-o", "run", "--resume"), 1, ("run",)),
        (("tint", "pairs", "-o", "pairs"), 1, ("pairs", "not empty")),
        (("tint", "pairs", "-o", "pairs/A/3.png"), 1, ("3.png", "is a file")),
        (("tint", "pairs", "-o", "pairs/A/3.png/run"), 1, ("3.png/run", "Cannot make the folder")),
        (("--recipe", "no.toml", "-o", "run"), 2, ("no.toml",)),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)
def test_training_asked_for_wrongly(shell, arguments, code, words):
    outcome = train(shell, *arguments)
    assert outcome.code == code, outcome.err
    (line,) = outcome.err.splitlines()
    for word in words:
        assert word in line


def test_data_check(shell):
    record = json.loads(shell("--plugin", PLUGIN, "data", "check", "pairs", "--json").out)
    assert record["columns"] == {"A": "image", "B": "image"}
    assert record["problems"] == []
    assert "artkit train tint pairs" in shell("--plugin", PLUGIN, "data", "check", "pairs").out


def test_data_check_finds_a_damaged_file(shell):
    (shell.folder / "pairs/A/3.png").write_bytes(b"no picture")
    outcome = shell("data", "check", "pairs")
    assert outcome.code == 1
    assert "3.png" in outcome.out


def test_lists_in_settings():
    pairs = [("scales", "[32, 24]"), ("conditions", "[time,weather]"), ("base", "semgan,pix2pix"), ("none", "[]")]
    assert collect_settings(pairs) == {
        "scales": ["32", "24"],
        "conditions": ["time", "weather"],
        "base": "semgan,pix2pix",
        "none": [],
    }
