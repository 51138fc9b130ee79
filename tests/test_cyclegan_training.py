"""cyclegan's trainer: the paper's losses and order, the pool, low memory, resuming to the bit, inverted runs."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

import artkit
import cyclegan_paper
from artkit.errors import OptionError, TrainingError
from artkit.models.file import load_model
from artkit.nn import ImagePool
from artkit.training import Restart, Settings, train
from artkit_cyclegan import CycleGANTraining, trainer as training
from artkit_cyclegan.inversion import EVERY, WATCHED, InversionGuard
from artkit_cyclegan.networks import lay_strokes
from artkit_cyclegan.trainer import CycleGANTrainer

PAPER = cyclegan_paper.PAPER | {"pool": 3}
OURS = {
    "network": "painter", "width": 8, "blocks": 1, "detail": (4, 4), "norm": "none",
    "target": ("oil", "chalk"), "receptive_field": 16, "widths": (4, 4), "cell": 4, "pool": 3,
}  # fmt: skip
SHORT = {"batch": 2, "crop": 16, "log_every": 2, "sample_every": 4, "checkpoint_every": 4, "precision": "fp32"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for index in range(6):
        random = np.random.default_rng(index)
        for column in ("photo", "oil", "chalk"):
            path = root / ("val" if index == 5 else "train") / column / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(path)
    return root


def run(pictures, folder, steps, resume=False, **changes):
    values = SHORT | {"source": "photo", "target": ("oil",), "steps": steps} | changes
    return train("cyclegan", str(pictures), folder, values=values, resume=resume)


def make(pictures, **options):
    torch.manual_seed(0)
    values = {"source": "photo", "target": ("oil",)} | PAPER | options
    return CycleGANTrainer(
        CycleGANTraining(**values), Settings(batch=2, crop=16), artkit.data.open_dataset(str(pictures))
    )


def batch(seed=0, size=16, names=("photo", "oil")):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(2, 3, size, size, generator=generator) for name in names}


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


@pytest.mark.parametrize("options", [PAPER, OURS | {"gan": "hinge"}, PAPER | {"memory": "low", "gan": "vanilla"}])
def test_stopping_and_resuming_changes_nothing(pictures, tmp_path, monkeypatch, options):
    run(pictures, tmp_path / "whole", 8, **options)
    stop_after(monkeypatch, 4)
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "half", 8, **options)
    monkeypatch.undo()
    assert state(tmp_path / "half")["step"] == 4
    run(pictures, tmp_path / "half", 8, resume=True, **options)
    assert_equal(state(tmp_path / "whole"), state(tmp_path / "half"))
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "half")]
    assert models[0] == models[1]


SCRIPT = """
import json, sys
from pathlib import Path
from artkit.training import train
train("cyclegan", sys.argv[1], Path(sys.argv[2]), values=json.loads(sys.argv[3]))
"""


def test_a_killed_run_goes_on_to_the_same_end(pictures, tmp_path):
    values = SHORT | PAPER | {"source": "photo", "target": ["oil"], "steps": 100_000, "checkpoint_every": 1}
    values |= {"decay_from": 1.0}  # else the rate would depend on where the runs are told to end
    command = [sys.executable, "-c", SCRIPT, str(pictures), str(tmp_path / "run"), json.dumps(values)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoint.pt").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    reached = state(tmp_path / "run")["step"]
    run(pictures, tmp_path / "run", reached + 2, resume=True)
    run(pictures, tmp_path / "whole", reached + 2, **{**PAPER, "decay_from": 1.0})
    assert_equal(state(tmp_path / "whole")["networks"], state(tmp_path / "run")["networks"])
    assert_equal(state(tmp_path / "whole")["processes"], state(tmp_path / "run")["processes"])


@pytest.mark.parametrize("options", [PAPER, OURS])
def test_low_memory_gives_the_same_gradients_a_generator_at_a_time(pictures, options, monkeypatch):
    gradients, passes, backward = [], [], torch.Tensor.backward
    monkeypatch.setattr(torch.Tensor, "backward", lambda loss: (passes.append(memory), backward(loss)))
    for memory in ("high", "low"):
        trainer = make(pictures, **options, memory=memory)
        torch.manual_seed(1)
        drawn = batch(names=("photo", "oil", "chalk")) | (
            {"z": torch.stack([lay_strokes(16, 16, seed) for seed in (1, 2)])} if options is OURS else {}
        )
        trainer.training_step(drawn)
        gradients.append(
            [parameter.grad for name in trainer.averaged for parameter in trainer.networks[name].parameters()]
        )
    assert passes.count("low") == passes.count("high") + 1
    for high, low in zip(*gradients, strict=True):
        assert torch.allclose(high, low, atol=1e-6, rtol=1e-4)


def test_generators_and_discriminators_begin_as_in_the_paper(pictures):
    trainer = make(pictures, width=32, widths=(32,))
    for network in trainer.networks.values():
        weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() == 4])
        assert weights.mean().abs() < 1e-3
        assert abs(weights.std() - 0.02) < 1e-3


def test_channels_that_differ_turn_the_identity_loss_off_with_a_word(pictures, capsys):
    trainer = make(pictures, channels=(1, 3))
    told = "artkit: warning: the domains differ in channels, so there is no identity loss.\n"
    assert capsys.readouterr().err == told
    losses = trainer.training_step(batch())
    assert not any(name.startswith("identity") for name in losses)
    assert {"cycle_a", "cycle_b", "correlation_a", "correlation_b"} <= losses.keys()


def test_several_targets_need_a_network_that_takes_conditions(pictures):
    with pytest.raises(OptionError, match="network=subpixel"):
        make(pictures, target=("oil", "chalk"))


def test_a_painter_gives_paint_of_the_pictures_channels(pictures):
    with pytest.raises(OptionError, match="as many channels"):
        make(pictures, network="painter", channels=(1, 3))


def test_the_model_knows_its_styles_and_both_directions(pictures, tmp_path):
    path = run(pictures, tmp_path / "run", 2, **OURS)
    model = load_model(path)
    assert model.header.conditions == {"style": ("oil", "chalk")}
    assert model.header.arguments["directions"] == ["AtoB", "BtoA"]
    assert {name.split(".")[0] for name in model.tensors} == {"generator_a", "generator_b"}
    picture = np.zeros((9, 11, 3), np.uint8)
    for step in ("condition=chalk", "direction=BtoA"):
        assert artkit.Chain(f"cyclegan(model={str(path)!r},{step})")(picture).size == (9, 11)


def test_the_log_has_the_correlations(pictures, tmp_path):
    run(pictures, tmp_path / "run", 2, **PAPER)
    with (tmp_path / "run" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"correlation_a", "correlation_b", "cycle_a", "identity_b", "discriminator_a"} <= rows[0].keys()
    assert -1 <= float(rows[0]["correlation_a"]) <= 1


def inverted(value):
    return {"a": torch.tensor(0.9), "b": torch.tensor(value)}


def test_the_guard_waits_and_then_speaks():
    guard = InversionGuard()
    for _ in range(WATCHED[0] - 1):
        guard.watch(inverted(-0.9))
    with pytest.raises(Restart, match="B to A"):
        guard.watch(inverted(-0.9))


def test_the_guard_lets_a_run_recover_and_forgets_it_in_the_end():
    guard = InversionGuard()
    for step in range(WATCHED[1] + EVERY):
        guard.watch(inverted(-0.9 if step < WATCHED[0] - EVERY else 0.9))
    for _ in range(3 * EVERY):
        guard.watch(inverted(-0.9))
    other = InversionGuard()
    other.load_state(guard.state())
    assert_equal(other.state(), guard.state())


def invert_first(monkeypatch, runs):
    """Let the guard find the first `runs` runs inverted at their second step."""
    begun = []

    def watch(self, correlations):
        self.steps += 1
        if self.steps == 1:
            begun.append(self)
        if self.steps == 2 and len(begun) <= runs:
            raise Restart("colours are inverted")

    monkeypatch.setattr(training.InversionGuard, "watch", watch)


def test_an_inverted_run_starts_anew_with_the_next_seed_and_says_so(pictures, tmp_path, monkeypatch, capsys):
    invert_first(monkeypatch, 1)
    run(pictures, tmp_path / "again", 4, **PAPER, checkpoint_every=1)
    assert "colours are inverted: starting anew with seed 1" in capsys.readouterr().err
    assert json.loads((tmp_path / "again" / "run.json").read_text())["values"]["seed"] == 1
    run(pictures, tmp_path / "one", 4, **PAPER, checkpoint_every=1, seed=1)
    assert_equal(state(tmp_path / "one")["networks"], state(tmp_path / "again")["networks"])
    run(pictures, tmp_path / "one", 6, resume=True)
    run(pictures, tmp_path / "again", 6, resume=True)
    assert_equal(state(tmp_path / "one")["networks"], state(tmp_path / "again")["networks"])


def test_a_run_that_always_inverts_ends_with_a_message(pictures, tmp_path, monkeypatch, capsys):
    invert_first(monkeypatch, 100)
    with pytest.raises(TrainingError, match="inverted, with 4 seeds in a row"):
        run(pictures, tmp_path / "run", 4, **PAPER)
    assert capsys.readouterr().err.count("starting anew") == 3


def test_the_pool_fills_first_and_then_exchanges_half():
    torch.manual_seed(0)
    pool = ImagePool(5)
    pictures = torch.arange(400.0).view(-1, 1, 1, 1)
    answers = torch.cat([pool.exchange(picture[None]) for picture in pictures])
    assert torch.equal(answers[:5], pictures[:5])
    late = answers[5:].flatten() == pictures[5:].flatten()
    assert 0.4 < late.float().mean() < 0.6
    assert len(pool.images) == 5
    assert torch.equal(ImagePool(0).exchange(pictures), pictures)


def test_a_restored_pool_answers_alike():
    torch.manual_seed(0)
    pool, other = ImagePool(3), ImagePool(3)
    pool.exchange(torch.rand(5, 1, 2, 2))
    other.load_state_dict(pool.state_dict())
    fakes, random = torch.rand(6, 1, 2, 2), torch.get_rng_state()
    first = pool.exchange(fakes)
    torch.set_rng_state(random)
    assert torch.equal(first, other.exchange(fakes))
