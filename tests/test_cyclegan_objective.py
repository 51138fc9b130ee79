"""cyclegan's objective, its gradients, pool, schedule and optimisers against the paper, written out again here.

Zhu et al. 2017: L(G, F, D_X, D_Y) = L_GAN(G, D_Y, X, Y) + L_GAN(F, D_X, Y, X) + lambda L_cyc(G, F) (eq. 1 to 3), the
adversarial losses as least squares (section 4), and the identity loss of section 5.2.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import cyclegan_paper
from artkit.data import open_dataset
from artkit.training import Settings, train
from artkit_cyclegan import CycleGANTraining
from artkit_cyclegan.networks import detail
from artkit_cyclegan.trainer import CycleGANTrainer

PAPER = cyclegan_paper.PAPER | {"pool": 0, "target": ("oil",)}
STYLES = PAPER | {"network": "subpixel", "blocks": 1, "detail": (4, 4), "norm": "none", "target": ("oil", "chalk")}
NETWORKS = ("generator_a", "generator_b", "discriminator_a", "discriminator_b")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for column in ("photo", "oil", "chalk"):
        for index in range(2):
            path = root / "train" / column / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(index).integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
    return str(root)


def make(pictures, **options):
    torch.manual_seed(0)
    values = {"source": "photo"} | PAPER | options
    return CycleGANTrainer(CycleGANTraining(**values), Settings(batch=2, crop=16), open_dataset(pictures, "train"))


def draw(seed=0, count=2):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(count, 3, 16, 16, generator=generator) for name in ("photo", "oil", "chalk")}


def squares(logits, target):
    return torch.stack([(scale - target).square().mean() for scale in logits]).mean()


def assert_gradients(networks, expected):
    own = [parameter.grad for network in networks for parameter in network.parameters()]
    for left, right in zip(own, expected, strict=True):
        torch.testing.assert_close(left, right, atol=2e-5, rtol=2e-3)


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"cycle_a": 3.0, "cycle_b": 7.0, "identity": 0.25, "adversarial": 2.0},
        {"identity": 0.0, "memory": "low"},
        {"cell": 4},
    ],
    ids=str,
)
def test_gradients_are_those_of_the_papers_objective(pictures, weights):
    trainer, drawn = make(pictures, **weights), {name: picture.double() for name, picture in draw().items()}
    for network in trainer.networks.values():
        network.double()  # the gradient of an L1 loss jumps where a difference is as small as a float's rounding
    names = {"adversarial": 1.0, "cycle_a": 10.0, "cycle_b": 10.0, "identity": 0.5, "cell": 1} | weights
    g, f, d_y, d_x = (copy.deepcopy(trainer.networks[name]) for name in NETWORKS)
    x, y = drawn["photo"] * 2 - 1, drawn["oil"] * 2 - 1

    def l1(one, other):
        return (F.avg_pool2d(one, names["cell"]) - F.avg_pool2d(other, names["cell"])).abs().mean()

    gan = squares(d_y(g(x)), 1) + squares(d_x(f(y)), 1)
    cycle = names["cycle_a"] * l1(f(g(x)), x) + names["cycle_b"] * l1(g(f(y)), y)
    identity = names["identity"] * (names["cycle_b"] * l1(g(y), y) + names["cycle_a"] * l1(f(x), x))
    objective = names["adversarial"] * gan + cycle + identity
    expected = torch.autograd.grad(objective, [*g.parameters(), *f.parameters()])
    d_loss = squares(d_y(y), 1) + squares(d_y(g(x).detach()), 0) + squares(d_x(x), 1) + squares(d_x(f(y).detach()), 0)
    discriminated = torch.autograd.grad(d_loss / 2, [*d_y.parameters(), *d_x.parameters()])
    losses = trainer.training_step(drawn)
    assert_gradients([trainer.generator_a, trainer.generator_b], expected)
    assert_gradients([trainer.discriminator_a, trainer.discriminator_b], discriminated)
    torch.testing.assert_close(losses["cycle_a"].double(), l1(f(g(x)), x).detach(), rtol=1e-5, atol=1e-6)
    told = (squares(d_x(x), 1) + squares(d_x(f(y)), 0)).detach() / 2
    torch.testing.assert_close(losses["discriminator_b"].double(), told, rtol=1e-5, atol=1e-6)
    assert ("identity_a" in losses) == (names["identity"] > 0)


def test_a_style_steers_the_generator_and_has_logits_of_its_own(pictures):
    trainer, drawn = make(pictures, **STYLES, discriminator_input="detail"), draw()
    g, d = copy.deepcopy(trainer.generator_a), trainer.discriminator_a
    torch.manual_seed(5)
    chosen = torch.randint(2, (2,)).tolist()
    torch.manual_seed(5)
    losses = trainer.training_step(drawn)
    assert len(set(chosen)) == 2
    x, rows = drawn["photo"] * 2 - 1, torch.eye(2)[chosen]
    y = torch.stack([drawn[("oil", "chalk")[style]][place] for place, style in enumerate(chosen)]) * 2 - 1
    fake, before = g(x, rows), make(pictures, **STYLES, discriminator_input="detail").discriminator_a
    assert d.state_dict().keys() == before.state_dict().keys()

    def logits(picture):
        maps = before.features(detail(picture))[0][-1]
        return torch.stack([maps[place, style] for place, style in enumerate(chosen)])[:, None]

    torch.testing.assert_close(losses["adversarial_a"], (logits(fake) - 1).square().mean().detach())
    expected = ((logits(y) - 1).square().mean() + logits(fake).square().mean()).detach() / 2
    torch.testing.assert_close(losses["discriminator_a"], expected)


def test_relativistic_generators_compare_with_the_other_domain(pictures):
    trainer, drawn = make(pictures, gan="relativistic"), draw()
    g, d_y = copy.deepcopy(trainer.generator_a), copy.deepcopy(trainer.discriminator_a)
    losses = trainer.training_step(drawn)
    (real,), (fake,) = d_y(drawn["oil"] * 2 - 1), d_y(g(drawn["photo"] * 2 - 1))
    torch.testing.assert_close(losses["adversarial_a"], F.softplus(real - fake).mean().detach())


def test_discriminators_are_shown_older_fakes_out_of_the_pool(pictures):
    """With room for one, the second step's fake is the new one or the one kept, each about half of the times."""
    older = []
    for seed in range(12):
        trainer, fakes = make(pictures, pool=1), []
        for step in (0, 1):
            drawn = draw(step, count=1)
            fakes.append(copy.deepcopy(trainer.generator_a)(drawn["photo"] * 2 - 1).detach())
            d_y, y = copy.deepcopy(trainer.discriminator_a), drawn["oil"] * 2 - 1
            torch.manual_seed(seed)
            losses = trainer.training_step(drawn)
        either = [(squares(d_y(y), 1) + squares(d_y(fake), 0)).detach() / 2 for fake in fakes]
        gaps = [abs(float(losses["discriminator_a"].detach() - loss)) for loss in either]
        assert min(gaps) < 1e-6 < max(gaps)
        older.append(gaps[0] < gaps[1])
    assert 2 < sum(older) < 10


def test_all_optimisers_are_adam_with_the_papers_momentum(pictures):
    """Adam at 0.0002 (section 4) with the authors' beta1 = 0.5, followed here over three steps."""
    trainer = make(pictures)
    state = {
        name: [(p.detach().clone(), torch.zeros_like(p), torch.zeros_like(p)) for p in network.parameters()]
        for name, network in trainer.networks.items()
    }
    for step in (1, 2, 3):
        trainer.training_step(draw(step))
        for name, network in trainer.networks.items():
            for index, parameter in enumerate(network.parameters()):
                weight, mean, square = state[name][index]
                mean = 0.5 * mean + 0.5 * parameter.grad
                square = 0.999 * square + 0.001 * parameter.grad.square()
                move = (mean / (1 - 0.5**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
                state[name][index] = (weight - 2e-4 * move, mean, square)
                torch.testing.assert_close(parameter.detach(), state[name][index][0], atol=2e-6, rtol=1e-4)


def test_the_rate_stays_for_half_of_the_steps_and_falls_to_zero_in_a_line(pictures, tmp_path, monkeypatch):
    rates, step = [], CycleGANTrainer.training_step

    def watch(self, batch):
        rates.append([group["lr"] for one in self.optimisers.values() for group in one.param_groups])
        return step(self, batch)

    monkeypatch.setattr(CycleGANTrainer, "training_step", watch)
    rate = {name: cyclegan_paper.RECIPE[name] for name in ("learning_rate", "decay_from")}
    values = PAPER | rate | {"source": "photo", "steps": 8, "batch": 1, "crop": 16, "precision": "fp32"}
    train("cyclegan", pictures, tmp_path / "run", values=values)
    expected = [2e-4 * factor for factor in (1, 1, 1, 1, 1, 0.75, 0.5, 0.25)]
    assert rates == [[pytest.approx(rate)] * 2 for rate in expected]
