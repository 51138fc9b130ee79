"""pix2pix's objective, its gradients and its optimisers against the paper's equations, written out again here.

Isola et al. 2017: L_cGAN(G, D) = E log D(x, y) + E log(1 - D(x, G(x, z))) (eq. 1), L_L1(G) = E |y - G(x, z)| (eq. 3),
and G* = arg min_G max_D L_cGAN(G, D) + lambda L_L1(G) (eq. 4). G maximises log D(x, G(x, z)), and the objective is
halved while D learns (section 3.3).
"""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from artkit import Kind, OptionError
from artkit.data import Column, open_dataset
from artkit.nn import STROKE_CHANNELS
from artkit.training import Settings, train
from artkit_pix2pix import Pix2PixTraining
from artkit_pix2pix.trainer import Pix2PixTrainer, find_conditions

DATA = "landscapes(count=2,size=[32,32])"
CLASSES = 12
PAPER = {"network": "resnet_6", "width": 4, "widths": (4,), "receptive_field": 16, "target": "photo", "dropout": False}
PAPER |= {"norm": "instance", "discriminator_norm": "instance"}
OURS = {
    "network": "subpixel", "width": 8, "blocks": 1, "detail": (4, 4), "norm": "none", "target": "photo",
    "widths": (4, 3), "receptive_field": 16, "discriminator_norm": "instance", "noise": "strokes",
    "conditions": ("time", "weather"), "gan": "lsgan", "l1": 14.0, "lowpass": 6.0, "matching": 4.0, "adversarial": 2.0,
    "heights": True,
}  # fmt: skip


def make(**options):
    torch.manual_seed(0)
    return Pix2PixTrainer(
        Pix2PixTraining(**options), Settings(batch=2, crop=32, steps=100), open_dataset(DATA, "train")
    )


def draw(seed=0):
    random = torch.Generator().manual_seed(seed)
    return {
        "label": torch.randint(CLASSES, (2, 32, 32), generator=random),
        "photo": torch.rand(2, 3, 32, 32, generator=random),
        "z": torch.rand(2, STROKE_CHANNELS, 32, 32, generator=random),
        "heights": torch.rand(2, 1, 32, 32, generator=random),
        "time": ["dusk", "noon"],
        "weather": ["misty", "clear"],
    }


def paper_batch(seed=0):
    return {name: value for name, value in draw(seed).items() if name in ("label", "photo")}


def one_hot(batch):
    return F.one_hot(batch["label"], CLASSES).permute(0, 3, 1, 2).float()


def log_sigmoid_mean(logits):
    return torch.sigmoid(logits).log().mean()


def assert_gradients(network, expected):
    for parameter, gradient in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=2e-3)


def test_the_papers_objective_and_its_gradients():
    trainer, batch = make(**PAPER), paper_batch()
    x, y = one_hot(batch), batch["photo"] * 2 - 1
    generator, discriminator = copy.deepcopy(trainer.generator), copy.deepcopy(trainer.discriminator)
    losses = trainer.training_step(batch)

    fake = generator(x)
    (real_logits,), (fake_logits,) = discriminator(torch.cat([x, y], 1)), discriminator(torch.cat([x, fake], 1))
    equation_1 = log_sigmoid_mean(real_logits) + torch.log(1 - torch.sigmoid(fake_logits)).mean()
    torch.testing.assert_close(losses["discriminator"], -equation_1 / 2)
    assert_gradients(
        trainer.discriminator, torch.autograd.grad(-equation_1 / 2, list(discriminator.parameters()), retain_graph=True)
    )

    (fake_logits,) = trainer.discriminator(torch.cat([x, fake], 1))  # G learns from the D that has just learned
    equation_3 = (y - fake).abs().mean()
    equation_4 = -log_sigmoid_mean(fake_logits) + 100 * equation_3
    torch.testing.assert_close(losses["adversarial"], -log_sigmoid_mean(fake_logits))
    torch.testing.assert_close(losses["l1"], equation_3)
    assert_gradients(trainer.generator, torch.autograd.grad(equation_4, list(generator.parameters())))
    assert losses.keys() == {"discriminator", "adversarial", "l1"}


def test_our_terms_and_what_the_discriminator_sees():
    """z, heights and the conditions' planes beside the label map; low-pass L1, feature matching; a falling weight."""
    trainer, batch = make(**OURS, adversarial_end=0.5), draw()
    trainer.step = 75  # half of the time that the rate falls
    generator = copy.deepcopy(trainer.generator)
    losses = trainer.training_step(batch)

    words = [trainer.conditions.known[name] for name in ("time", "weather")]
    rows = torch.zeros(2, trainer.conditions.channels)
    for place, (time, weather) in enumerate(zip(batch["time"], batch["weather"], strict=True)):
        rows[place, words[0].index(time)] = rows[place, len(words[0]) + words[1].index(weather)] = 1
    x, y = torch.cat([one_hot(batch), batch["z"], batch["heights"]], 1), batch["photo"] * 2 - 1
    fake, planes = generator(x, rows), rows[:, :, None, None].expand(-1, -1, 32, 32)
    discriminator = trainer.discriminator
    fakes, reals = (discriminator.features(torch.cat([x, planes, picture], 1)) for picture in (fake, y))

    adversarial = torch.stack([(scale[-1] - 1).square().mean() for scale in fakes]).mean()
    pairs = [
        (f, r.detach()) for fs, rs in zip(fakes, reals, strict=True) for f, r in list(zip(fs, rs, strict=True))[:-1]
    ]
    matching = torch.stack([(f - r).abs().mean() for f, r in pairs]).mean()
    lowpass = (F.avg_pool2d(fake, 8) - F.avg_pool2d(y, 8)).abs().mean()
    l1 = (fake - y).abs().mean()
    for name, value in {"adversarial": adversarial, "matching": matching, "lowpass": lowpass, "l1": l1}.items():
        torch.testing.assert_close(losses[name], value)
    weight = 0.5 + (2.0 - 0.5) * 0.5
    loss = weight * adversarial + 14 * l1 + 6 * lowpass + 4 * matching
    assert_gradients(trainer.generator, torch.autograd.grad(loss, list(generator.parameters())))


def test_crops_keep_the_heights_of_their_picture():
    trainer = make(**OURS)
    sample = trainer.prepare(open_dataset(DATA, "train").load(0, trainer.columns))
    down = torch.linspace(-1 + 1 / 32, 1 - 1 / 32, 32)
    torch.testing.assert_close(sample["heights"], down[None, :, None].expand(1, 32, 32))
    assert trainer.export()[0].arguments["heights"] is True
    assert sample["z"].shape == (STROKE_CHANNELS, 32, 32)


def test_noise_on_the_input_reaches_the_generator_alone():
    trainer, batch, given = make(**PAPER, input_noise="labels", input_noise_level=1.0), paper_batch(), []
    x, y = one_hot(batch), batch["photo"] * 2 - 1
    discriminator = copy.deepcopy(trainer.discriminator)
    trainer.generator.register_forward_hook(lambda _, seen, fake: given.append((seen[0], fake.detach())))
    losses = trainer.training_step(batch)
    [(seen, fake)] = given
    assert 0.8 < (seen != x).any(1).float().mean() < 1  # a random class is the right one in a twelfth of the places
    (real_logits,), (fake_logits,) = (discriminator(torch.cat([x, picture], 1)) for picture in (y, fake))
    equation_1 = log_sigmoid_mean(real_logits) + torch.log(1 - torch.sigmoid(fake_logits)).mean()
    torch.testing.assert_close(losses["discriminator"], -equation_1 / 2)


def test_relativistic_generators_compare_with_the_real_pair():
    trainer, batch = make(**PAPER, gan="relativistic"), paper_batch()
    x, y = one_hot(batch), batch["photo"] * 2 - 1
    generator = copy.deepcopy(trainer.generator)
    losses = trainer.training_step(batch)
    (real,), (fake,) = (trainer.discriminator(torch.cat([x, picture], 1)) for picture in (y, generator(x)))
    torch.testing.assert_close(losses["adversarial"], F.softplus(real - fake).mean())


def test_both_optimisers_are_adam_with_the_papers_momentum():
    """Adam at 0.0002, beta1 = 0.5, beta2 = 0.999 (section 3.3), followed here over three steps."""
    trainer = make(**PAPER)
    networks = {"generator": trainer.generator, "discriminator": trainer.discriminator}
    state = {
        name: [(p.detach().clone(), torch.zeros_like(p), torch.zeros_like(p)) for p in network.parameters()]
        for name, network in networks.items()
    }
    for step in (1, 2, 3):
        trainer.training_step(paper_batch(step))
        for name, network in networks.items():
            for index, parameter in enumerate(network.parameters()):
                weight, mean, square = state[name][index]
                mean = 0.5 * mean + 0.5 * parameter.grad
                square = 0.999 * square + 0.001 * parameter.grad.square()
                move = (mean / (1 - 0.5**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
                state[name][index] = (weight - 2e-4 * move, mean, square)
                torch.testing.assert_close(parameter.detach(), state[name][index][0], atol=2e-6, rtol=1e-4)


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_convolutions_begin_as_in_the_paper(network):
    trainer = make(**PAPER | {"width": 24, "widths": (48,)})
    weights = torch.cat([p.flatten() for p in trainer.networks[network].parameters() if p.dim() == 4])
    assert weights.mean().abs() < 1e-3
    assert abs(weights.std() - 0.02) < 1e-3


def test_the_weight_average_is_updated_every_step_and_exported(tmp_path):
    """The average after two steps is mixed of the weights at the start, after one step and after two."""
    values = PAPER | {"batch": 1, "crop": 32, "ema": 0.9, "decay_from": 1.0, "precision": "fp32", "learning_rate": 1e-2}
    states = {}
    for steps in (1, 2):
        train("pix2pix", DATA, tmp_path / str(steps), values=values | {"steps": steps})
        states[steps] = torch.load(tmp_path / str(steps) / "checkpoint.pt", weights_only=True)
    start = make(**PAPER).generator.state_dict()
    after = {steps: states[steps]["networks"]["generator"] for steps in (1, 2)}
    for name, average in states[2]["averages"]["generator"]["module"].items():
        expected = 2 / 11 * start[name] + 9 / 11 * after[1][name]
        expected = 3 / 12 * expected + 9 / 12 * after[2][name]
        torch.testing.assert_close(average, expected, atol=1e-6, rtol=1e-5)


def test_conditions_are_columns_of_few_words_and_their_defaults_the_first_unless_asked():
    words = {"time": ("dawn", "dusk"), "weather": ("clear", "mist"), "title": ()}
    data = SimpleNamespace(column=lambda name: Column(name, Kind.TEXT, values=words[name]))
    options = Pix2PixTraining(conditions=("time", "weather"), default_conditions=("mist",))
    found = find_conditions(data, options)
    assert found.known == {"time": ("dawn", "dusk"), "weather": ("clear", "mist")}
    assert found.defaults == {"time": "dawn", "weather": "mist"}
    with pytest.raises(OptionError, match="'title' is no text column of few words"):
        find_conditions(data, Pix2PixTraining(conditions=("time", "title")))
    with pytest.raises(OptionError, match="this model knows no 'fog'"):
        find_conditions(data, Pix2PixTraining(conditions=("weather",), default_conditions=("fog",)))


def test_what_words_do_is_learned_at_a_rate_of_its_own():
    """Adam's first step moves every weight that has a gradient by the rate."""
    trainer = make(**OURS, words_rate=10)
    before = copy.deepcopy(trainer.generator.state_dict())
    trainer.training_step(draw())
    for name, weight in trainer.generator.state_dict().items():
        moved = (weight - before[name]).abs().max().item()
        assert moved == pytest.approx(2e-3 if ".film." in name else 2e-4, rel=0.01), name
