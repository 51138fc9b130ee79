"""Two processes train what one would: same weights for the same global batch, resumed too. Real processes, gloo."""

from __future__ import annotations

import os
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
    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
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
