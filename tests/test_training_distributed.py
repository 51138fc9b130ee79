"""Two processes train what one would: same weights for the same global batch, resumed too. Real processes, gloo."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.training import train

ROOT = Path(__file__).parents[1]
PIX2PIX = {
    "network": "resnet_6",
    "width": 4,
    "dropout": "false",
    "norm": "instance",
    "discriminator_norm": "instance",
    "batch": 4,
    "crop": 32,
    "precision": "fp32",
    "log_every": 1,
    "checkpoint_every": 2,
    "sample_every": 4,
    "decay_from": 1,
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    for index in range(6):
        picture = np.random.default_rng(index).integers(0, 256, (36, 40, 3), dtype=np.uint8)
        for column, pixels in (("a", picture), ("b", 255 - picture)):
            path = root / "train" / column / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


def torchrun(count, *arguments):
    """Run `artkit train` in `count` processes of this machine, as a user would."""
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "tests", os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    return subprocess.run(
        [*command, "-m", "artkit", "train", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def settings(**changes):
    return [f"--set={name}={value}" for name, value in (PIX2PIX | changes).items()]


def state(run):
    return torch.load(run / "checkpoint.pt", weights_only=True)


def test_two_processes_train_what_one_does_and_resume_to_the_same_bits(pairs, tmp_path):
    one, two, halves = tmp_path / "one", tmp_path / "two", tmp_path / "halves"
    train("pix2pix", str(pairs), one, values={**PIX2PIX, "dropout": False, "steps": 4})
    done = torchrun(2, "pix2pix", pairs, "-o", two, "--steps", 4, *settings())
    assert done.returncode == 0, done.stderr
    alone, together = state(one), state(two)
    for name, network in alone["networks"].items():
        for key, weights in network.items():
            # Not the biases: an instance norm takes them off again, and Adam makes full steps of what noise they get.
            if key.endswith("weight"):
                assert (weights - together["networks"][name][key]).abs().max() < 2e-5, (name, key)
    lines = (two / "log.csv").read_text().splitlines()
    assert len(lines) == 5
    mean = [float(value) for value in (one / "log.csv").read_text().splitlines()[-1].split(",")[1:3]]
    assert [float(value) for value in lines[-1].split(",")[1:3]] == pytest.approx(mean, rel=1e-3)

    assert torchrun(2, "pix2pix", pairs, "-o", halves, "--steps", 2, *settings()).returncode == 0
    refused = torchrun(1, "-o", halves, "--steps", 4, "--resume")
    assert refused.returncode == 1
    assert "is of a run of 2 processes, these are 1: torchrun --nproc-per-node 2" in refused.stderr
    done = torchrun(2, "-o", halves, "--steps", 4, "--resume")
    assert done.returncode == 0, done.stderr
    resumed = state(halves)
    for name, network in together["networks"].items():
        assert all(torch.equal(weights, resumed["networks"][name][key]) for key, weights in network.items())


def test_a_batch_that_cannot_be_shared_is_refused(pairs, tmp_path):
    done = torchrun(2, "pix2pix", pairs, "-o", tmp_path / "run", "--steps", 2, *settings(batch=3))
    assert done.returncode == 1
    assert "batch=3 cannot be shared by 2 processes: try --batch 4." in done.stderr


FAULTY = """
import math, os

import tiny_training
from artkit import MethodSpec, hookimpl


class Faulty(tiny_training.TintTrainer):
    def training_step(self, batch):
        losses = super().training_step(batch)
        fast = self.optimisers["generator"].param_groups[0]["lr"] > 0.01
        broken = os.environ["RANK"] == "1" and self.step == 2 and fast
        return {"distance": losses["distance"] * (math.nan if broken else 1)}


SPEC = MethodSpec(**{**vars(tiny_training.SPEC), "trainer": f"{__name__}:Faulty"})


@hookimpl
def register_methods():
    return [SPEC]


@hookimpl
def training_event(event):
    print("told", event.kind, event.step, flush=True)
"""


def test_two_processes_report_score_and_go_back_as_one(pairs, tmp_path):
    """What one process alone sees makes both go back; the first alone writes, says so, scores and tells plugins."""
    run, plugin, data = tmp_path / "run", tmp_path / "faulty.py", tmp_path / "data"
    plugin.write_text(FAULTY)
    shutil.copytree(pairs / "train", data / "train")
    shutil.copytree(pairs / "train", data / "val")
    short = {"batch": 2, "crop": 16, "log_every": 1, "checkpoint_every": 2, "learning_rate": 0.03}
    how = [f"--set={name}={value}" for name, value in (short | {"sample_every": 2, "precision": "fp32"}).items()]
    done = torchrun(2, "--plugin", plugin, "tint", data, "-o", run, "--steps", 4, "--best", "psnr,rgb_distance", *how)
    assert done.returncode == 0, done.stderr
    back = "the loss 'distance' became NaN at step 3: back to step 2, and on with {} of the learning rate"
    warned = [line for line in done.stderr.splitlines() if line.startswith("artkit: warning")]
    assert warned == [f"artkit: warning: {back.format(factor)}." for factor in ("0.5", "0.25")]
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("told")]
    assert [step for kind, step in told if kind == "score"] == ["0", "2", "4"]
    assert [step for kind, step in told if kind == "start"] == ["0", "2", "2"]
    assert [line.split(",")[0] for line in (run / "log.csv").read_text().splitlines()] == ["step", "1", "2", "3", "4"]
    assert len((run / "scores.csv").read_text().splitlines()) == 4
    assert [note.split(",", 2)[2] for note in (run / "notes.csv").read_text().splitlines()[2:]] == [
        *(f'"{back.format(factor)}"' for factor in ("0.5", "0.25")),
        "done at step 4",
    ]
    assert {path.name for path in run.iterdir()} == {
        *("run.json", "log.csv", "scores.csv", "notes.csv", "samples", "checkpoint.pt"),
        *("best.safetensors", "model.safetensors", "report.html"),
    }
    assert "<dt>processes</dt><dd>2</dd>" in (run / "report.html").read_text()


def test_what_fails_in_the_first_process_alone_ends_both(pairs, tmp_path):
    """There are no held-out pictures, and the first alone scores."""
    done = torchrun(2, "pix2pix", pairs, "-o", tmp_path / "run", "--steps", 2, "--best", "psnr", *settings())
    assert done.returncode == 1
    assert "best=psnr: held-out pictures cannot be scored" in done.stderr


def test_two_processes_accumulate_what_one_computes_at_once(pairs, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    train("pix2pix", str(pairs), one, values={**PIX2PIX, "dropout": False, "steps": 2, "batch": 8})
    done = torchrun(2, "pix2pix", pairs, "-o", two, "--steps", 2, "--accumulate", 2, *settings())
    assert done.returncode == 0, done.stderr
    alone, together = state(one), state(two)
    for name, network in alone["networks"].items():
        for key, weights in network.items():
            if key.endswith("weight"):
                assert (weights - together["networks"][name][key]).abs().max() < 2e-5, (name, key)
