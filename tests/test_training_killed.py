"""kill -9 after a checkpoint, then --resume: every trainer ends in the model of a run nobody touched, to the bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from artkit.cli import main
from artkit.plugins import load_registry

ROOT = Path(__file__).parents[1]
KILLER = """
import os, signal
from artkit import hookimpl

@hookimpl
def training_event(event):
    if event.kind == "step" and event.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
"""
SETTINGS = {
    "steps": 5, "batch": 2, "crop": 32, "log_every": 1, "checkpoint_every": 2, "sample_every": 5, "precision": "fp32",
}  # fmt: skip
DISCRIMINATOR = {"receptive_field": 16, "widths": "[4]"}
SUBPIXEL = {"network": "subpixel", "width": 8, "blocks": 1, "detail": "[4,4]"}
SCENES = "landscapes(count=4,size=[48,48])"
CLIPS = "clips"  # a folder beside the run
RUNS = {
    "pix2pix": (SCENES, {**SUBPIXEL, **DISCRIMINATOR, "target": "painting", "noise": "strokes"}),
    "cyclegan": (SCENES, {**SUBPIXEL, **DISCRIMINATOR, "source": "photo", "target": "[painting]", "pool": 3}),
    "can": ("styles(count=8,size=[48,48])", {"latent": 4, "width": 2}),
    "igan": (SCENES, {"latent": 4, "width": 4, "discriminator_width": 4, "picture": "photo"}),
    "nextframe": (CLIPS, {**DISCRIMINATOR, "width": 8, "blocks": 1, "detail": "[4,4]", "adversarial": 0.1}),
    "semgan": (SCENES, {"latent": 4, "width": 4, "resolution": 32, "warm_up": 1, "patches": 2}),
    "superres": (SCENES, {**DISCRIMINATOR, "width": 8, "blocks": 1, "adversarial": 0.1, "texture": 1}),
    "spade": (
        "landscapes(count=10,size=[48,48],styles=[photo,ink],lights=any,partner=true)",
        {
            "width": 8,
            "blocks": 2,
            "detail": "[8,8]",
            "code": 6,
            "encoder_width": 4,
            "widths": "[8,8]",
            "start_from": 4,
            "target": "painting",
            "default_conditions": "[noon,photo]",
        },
    ),
    "funit": (
        "landscapes(count=10,size=[48,48],styles=[photo,ink],lights=any,partner=true,content=true)",
        {
            "width": 8,
            "blocks": 2,
            "detail": "[8,8]",
            "code": 6,
            "class_width": 4,
            "widths": "[8,8]",
            "start_from": 4,
            "picture": "painting",
        },
    ),
    "stackgan": (
        "landscapes(count=8,size=[32,32])",
        {
            "latent": 4,
            "width": 4,
            "discriminator_width": 4,
            "painter_width": 8,
            "blocks": 1,
            "detail": "[4,4]",
            "first": 0.5,
        },
    ),
    "touchup": (SCENES, {**DISCRIMINATOR, "width": 8, "blocks": 1, "detail": "[4,4]", "target": "painting"}),
}


def command(method: str, run: Path) -> list[str]:
    data, values = RUNS[method]
    data = str(run.parent / CLIPS) if data == CLIPS else data
    pairs = [f"--set={name}={value}" for name, value in {**SETTINGS, **values}.items()]
    return ["train", method, data, "-o", str(run), *pairs]


def test_every_trainer_is_killed_here():
    assert set(RUNS) == {name for name, spec in load_registry().methods.items() if spec.trainer}


@pytest.mark.parametrize("method", RUNS)
def test_a_killed_run_ends_in_the_same_model(method, tmp_path):
    (tmp_path / "killer.py").write_text(KILLER)
    if RUNS[method][0] == CLIPS:
        moves = ["landscapes", "--count=2", "--size=48x48", "--set=frames=4"]
        assert main(["data", "make", *moves, "-o", str(tmp_path / CLIPS)]) == 0
    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
    killed = subprocess.run(
        [
            sys.executable,
            "-m",
            "artkit",
            "--plugin",
            str(tmp_path / "killer.py"),
            *command(method, tmp_path / "killed"),
        ],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "killed" / "checkpoint.pt").exists()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    assert main(["train", "-o", str(tmp_path / "killed"), "--resume"]) == 0
    assert main(command(method, tmp_path / "whole")) == 0
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("killed", "whole")]
    assert models[0] == models[1]
