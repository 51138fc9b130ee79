"""Accumulated gradients: a step on several batches is the step on one larger batch, whatever updates it is made of."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import tiny_training
from artkit.errors import PluginError
from artkit.plugins import PluginSource, load_registry, use_registry
from artkit.training import train
from artkit.training.accumulating import Accumulation
from artkit.training.loop import Loop

ROUNDING = 2e-5
FULL_STEP = 2e-4
"""What Adam moves a weight by in a step."""
SHORT = {"crop": 32, "log_every": 1, "sample_every": 100, "checkpoint_every": 3, "precision": "fp32", "decay_from": 1}
NETWORK = {"network": "resnet_6", "width": 4, "norm": "instance", "discriminator_norm": "instance"}
METHODS = {
    "pix2pix": {**NETWORK, "dropout": False},  # the discriminator steps first
    "cyclegan": {**NETWORK, "pool": 0, "load_size": 0},  # the generators do
    "cyclegan, low memory": {**NETWORK, "pool": 0, "load_size": 0, "memory": "low"},
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


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items() if k != "images_per_second"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("case", METHODS)
def test_a_step_on_two_batches_is_the_step_on_both_at_once(pairs, tmp_path, case):
    method, values = case.partition(",")[0], SHORT | METHODS[case] | {"steps": 3}
    train(method, str(pairs), tmp_path / "once", values=values | {"batch": 4})
    train(method, str(pairs), tmp_path / "parts", values=values | {"batch": 2, "accumulate": 2})
    once, parts = state(tmp_path / "once"), state(tmp_path / "parts")
    for name, network in once["networks"].items():
        for key, weights in network.items():
            # Not the biases: an instance norm takes them off again, and Adam makes full steps of what noise they get;
            # as it does of a weight whose gradient is rounding alone, one in a million on processors with AVX2.
            if key.endswith("weight"):
                away = (weights - parts["networks"][name][key]).abs()
                assert (away > ROUNDING).float().mean() < 1e-4, (name, key)
                assert away.max() < FULL_STEP, (name, key)
    for one, other in zip(rows(tmp_path / "once"), rows(tmp_path / "parts"), strict=True):
        assert other == pytest.approx(one, rel=1e-3, abs=1e-4)
    updates = [held["averages"][next(iter(held["averages"]))]["updates"] for held in (once, parts)]
    assert updates == [3, 3]  # a step is a step of the optimisers: of averages, schedules and the log


def test_an_accumulating_run_resumes_to_the_bit(pairs, tmp_path, monkeypatch):
    values = SHORT | METHODS["cyclegan"] | {"steps": 4, "batch": 1, "accumulate": 2, "pool": 3, "checkpoint_every": 4}
    train("cyclegan", str(pairs), tmp_path / "whole", values=values)
    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        if self.step == 2:
            self._ask_to_stop()
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        train("cyclegan", str(pairs), tmp_path / "half", values=values)
    monkeypatch.undo()
    train("cyclegan", "", tmp_path / "half", values={}, resume=True)
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "half")]
    assert models[0] == models[1]


def test_a_trainer_that_steps_by_itself_is_told_before_it_goes_wrong(pairs, tmp_path):
    registry = load_registry()
    registry.add(PluginSource("tiny", lambda: tiny_training))
    use_registry(registry)
    try:
        with pytest.raises(PluginError) as caught:
            train("tint", str(pairs), tmp_path / "run", values=SHORT | {"batch": 1, "accumulate": 2, "steps": 2})
        assert str(caught.value) == (
            "the trainer makes no update by Trainer.update(), whose gradients accumulate: leave accumulate out."
        )
    finally:
        use_registry(None)


class Game:
    """Two players of one weight each; each update depends on the one before it, as those of a GAN do."""

    def __init__(self, count):
        self.a, self.b = nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([2.0]))
        self.optimisers = {
            "a": torch.optim.SGD([self.a], lr=0.1, momentum=0.9),
            "b": torch.optim.Adam([self.b], lr=0.1),
        }
        self.accumulation = Accumulation(self.optimisers, count) if count > 1 else None
        self.seen, self.drawn = 0, []

    def update(self, name, loss):
        if self.accumulation is None:
            self.optimisers[name].zero_grad()
            loss.backward()
            self.optimisers[name].step()
        else:
            with self.accumulation.updating(name):
                self.accumulation.backward(loss)

    def compute(self, x, updates):
        """Take a step of `updates` updates: a, b, a again, ...; what was computed before an update is used after it."""
        early = self.b * x  # seen by the second update with the weights from before the first
        total = torch.zeros(())
        self.seen += len(x)  # what it remembers besides, each batch once
        for index in range(updates):
            name = "ab"[index % 2]
            self.drawn.append(float(torch.rand(())))
            loss = (
                ((self.a * early.detach() - x) ** 2).mean()
                if name == "a"
                else ((early * self.a.detach() - 1) ** 2).mean()
            )
            total = total + loss.detach()
            self.update(name, loss)
        return {"loss": total}

    def step(self, x, updates):
        if self.accumulation is None:
            return self.compute(x, updates)
        parts, seen = x.chunk(self.accumulation.batches), self.seen
        return self.accumulation.run(lambda index: self.compute(parts[index], updates), lambda: self.rewind(seen))

    def rewind(self, seen):
        self.seen = seen


def test_rounds_follow_the_updates_of_a_step_however_many_there_are():
    """The number of updates grows and falls from step to step: a wrong guess costs a round, and nothing else."""
    once, parts = Game(1), Game(3)
    for number, updates in enumerate((1, 2, 2, 1, 2, 1, 1)):
        x = torch.rand(6, generator=torch.Generator().manual_seed(number)) + 0.5
        losses = [game.step(x, updates) for game in (once, parts)]
        assert torch.allclose(parts.a, once.a, atol=1e-6)
        assert torch.allclose(parts.b, once.b, atol=1e-6)
        assert torch.allclose(losses[1]["loss"], losses[0]["loss"], atol=1e-5)
        assert parts.seen == once.seen


def test_one_optimiser_may_step_twice():
    once, parts = Game(1), Game(2)

    def compute(game, x):
        for _ in range(3):
            game.update("a", F.mse_loss(game.a * x, x + 1))
        return {"loss": game.a.detach().sum()}

    x = torch.tensor([0.5, 1.0, 2.0, 4.0])
    compute(once, x)
    parts.accumulation.run(lambda index: compute(parts, x.chunk(2)[index]), lambda: None)
    assert torch.allclose(parts.a, once.a, atol=1e-6)


def test_a_batch_draws_the_same_chance_in_every_round_and_a_step_uses_up_its_own():
    game = Game(2)
    game.accumulation._expected = 2
    torch.manual_seed(3)
    before = torch.get_rng_state()
    game.step(torch.tensor([1.0, 2.0]), 2)
    first, second, third, fourth = game.drawn[0], game.drawn[1], game.drawn[2], game.drawn[4]
    assert first == third != second == fourth
    after = torch.get_rng_state()
    torch.set_rng_state(before)
    torch.randint(2**62, (2,))
    assert torch.equal(torch.get_rng_state(), after)


def test_batches_that_differ_in_their_updates_are_told():
    game = Game(2)

    def compute(index):
        game.update("ab"[index], (game.a * game.b).sum())
        return {}

    with pytest.raises(PluginError) as caught:
        game.accumulation.run(compute, lambda: None)
    assert str(caught.value) == "the trainer updates 'b' for one batch and 'a' for another: leave accumulate out."
