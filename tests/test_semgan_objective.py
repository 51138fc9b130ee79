"""SemGAN's training step: the relativistic game on class distributions, class shares, encoder and segmenter.

Values and gradients against the formulas, in every phase of training.
"""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from artkit import Kind
from artkit.data import Column, Dataset
from artkit.images import nearest_palette, one_hot
from artkit.training import Settings, train
from artkit_semgan import SemganTraining
from artkit_semgan.networks import Discriminator
from artkit_semgan.trainer import SemganTrainer, mirror_some
from objectives import Twin, agree, check_run, enliven, listen, no, yes
from test_semgan import CLASSES, TINY, maps

__all__ = ["maps"]

ADVERSARIAL = (0.0, 0.99)
SIZES = {
    "latent": 4,
    "width": 2,
    "discriminator_width": 2,
    "resolution": 32,
    "segmenter_width": 8,
    "segmenter_dilations": (1,),
}


class Maps(Dataset):
    """Label maps of three classes."""

    name = "maps"

    def __init__(self):
        self.columns = {"label": Column("label", Kind.LABELS, CLASSES)}

    def __len__(self):
        return 4

    def load(self, index, names):
        raise NotImplementedError


def trainer(step=100, learning_rate=2e-4, **options):
    torch.manual_seed(0)
    values = {**SIZES, "patches": 2, "patch": 16, "warm_up": 10, "r1": 0.0, **options}
    made = SemganTrainer(
        SemganTraining(**values), Settings(batch=3, crop=32, mirror=False, learning_rate=learning_rate), Maps()
    )
    made.step = step
    for network in enliven(made).networks.values():
        network.train()
    return made


def batch(step=0):
    blocks = torch.randint(0, 3 - step % 2, (3, 8, 8), generator=torch.Generator().manual_seed(5 + step))
    return {"label": blocks.repeat_interleave(4, 1).repeat_interleave(4, 2)}


def bound(generator, encoder, real, z):
    """The cross-entropy of real maps reconstructed from z, and how far z's distribution is from N(0, 1), in nats a map.

    `z` is what the trainer drew; the noise it drew it from is found again, so that gradients reach the encoder.
    """
    mean, log_variance = encoder(real)
    deviation = (log_variance / 2).exp()
    noise = ((z - mean) / deviation).detach()
    logits = generator(mean + deviation * noise)
    entropy = -(real * logits.log_softmax(1)).sum(1).mean()
    return entropy, kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(1).mean()


def beyond(ones, others):
    """The relativistic loss of some logits that are to lie above others, of the whole maps and of places alike."""
    return sum(yes(one - other) for one, other in zip(ones, others, strict=True)) / len(ones)


@pytest.mark.parametrize("places", [False, True])
def test_the_objective_of_dreams(places):
    made = trainer(parts="generate", reconstruction=4.0, kl=8.0, shares=0.5, places=places)
    twin = Twin(made, {("generator", "encoder"): ADVERSARIAL, ("discriminator",): ADVERSARIAL})
    heard = listen(made.networks["generator"])
    generator, discriminator, encoder = (twin.networks[name] for name in ("generator", "discriminator", "encoder"))
    world, dreams = None, None
    for step in range(3):
        torch.manual_seed(step)
        losses, real = made.training_step(batch(step)), one_hot(batch(step)["label"], 3)
        first, second, third = heard[-3:]
        loss_d = beyond(discriminator(real), discriminator(generator(first).softmax(1).detach()))
        twin.learn("discriminator", loss=loss_d)
        shown = generator(second).softmax(1)
        loss_g = beyond(discriminator(shown), [logits.detach() for logits in discriminator(real)])
        share, present = shown.mean((0, 2, 3)), real.mean((0, 2, 3))
        world = present if world is None else 0.99 * world + 0.01 * present
        dreams = share if dreams is None else 0.9 * dreams.detach() + 0.1 * share
        apart = 10 * ((dreams - world) ** 2 / (world + 0.01)).sum()
        reconstruction, kl = bound(generator, encoder, real, third)
        twin.learn("generator", "encoder", loss=loss_g + 0.5 * apart + 4 * (reconstruction + 8 * kl / 32**2))
        agree(
            losses,
            {
                "discriminator": loss_d,
                "adversarial": loss_g,
                "shares": apart,
                "reconstruction": reconstruction,
                "kl": kl,
            },
        )


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_places_are_judged_by_what_lies_around_them(resolution):
    torch.manual_seed(0)
    judge, maps = Discriminator(3, 4, resolution, places=True), torch.rand(2, 3, resolution, resolution)
    maps.requires_grad_()
    whole, places = judge(maps)
    assert whole.shape == (2, 1)
    assert places.shape == (2, 1, 16, 16)
    seen = torch.autograd.grad(places[0, 0, 3, 4], maps)[0][0].abs().sum(0)
    cell = resolution // 16
    assert seen[3 * cell, 4 * cell] > 0
    assert seen[8 * cell :].sum() == seen[:, 9 * cell :].sum() == 0
    alone = Discriminator(3, 4, resolution)
    alone.load_state_dict({name: tensor for name, tensor in judge.state_dict().items() if "place" not in name})
    assert torch.equal(alone(maps)[0], whole)


def test_dreams_only_reconstruct_before_the_game_begins():
    made = trainer(step=9, parts="generate", kl=8.0)
    twin = Twin(made, {("generator", "encoder"): ADVERSARIAL, ("discriminator",): ADVERSARIAL})
    heard = listen(made.networks["generator"])
    losses = made.training_step(batch())
    reconstruction, kl = bound(
        twin.networks["generator"], twin.networks["encoder"], one_hot(batch()["label"], 3), heard[-1]
    )
    twin.learn("generator", "encoder", loss=4 * (reconstruction + 8 * kl / 32**2))
    agree(losses, {"reconstruction": reconstruction, "kl": kl})
    assert all(one.grad is None for one in made.networks["discriminator"].parameters())
    made.step = 10
    assert set(made.training_step(batch())) == {"discriminator", "adversarial", "shares", "reconstruction", "kl"}
    assert "discriminator" in trainer(step=0, parts="generate", reconstruction=0.0).training_step(batch())


def test_without_encoder_and_shares_the_generator_plays_the_plain_game():
    made = trainer(parts="generate", gan="vanilla", reconstruction=0.0, shares=0.0)
    twin = Twin(made, {("generator", "encoder"): ADVERSARIAL, ("discriminator",): ADVERSARIAL})
    heard = listen(made.networks["generator"])
    generator, discriminator = twin.networks["generator"], twin.networks["discriminator"]
    made.training_step(batch())
    first, second = heard
    loss_d = (
        yes(discriminator(one_hot(batch()["label"], 3))[0]) + no(discriminator(generator(first).softmax(1).detach())[0])
    ) / 2
    twin.learn("discriminator", loss=loss_d)
    gradients = torch.autograd.grad(yes(discriminator(generator(second).softmax(1))[0]), list(generator.parameters()))
    for gradient, parameter in zip(gradients, made.networks["generator"].parameters(), strict=True):
        assert float((gradient - parameter.grad).norm()) <= 1e-3 * float(gradient.norm()) + 1e-5


def test_the_objective_of_colours_is_that_of_so_many_chances():
    """The same game, on the mean colours of cells, which a sigmoid gives and a cross-entropy a channel reconstructs."""
    made = trainer(parts="generate", colours=True, gan="vanilla", shares=0.0, kl=0.0)
    twin = Twin(made, {("generator", "encoder"): ADVERSARIAL, ("discriminator",): ADVERSARIAL})
    heard = listen(made.networks["generator"])
    generator, discriminator, encoder = (twin.networks[name] for name in ("generator", "discriminator", "encoder"))
    torch.manual_seed(0)
    losses, palette = made.training_step(batch()), torch.tensor(CLASSES.colours) / 255
    real = palette[batch()["label"]].movedim(-1, 1)
    first, second, third = heard[-3:]
    loss_d = (yes(discriminator(real)[0]) + no(discriminator(torch.sigmoid(generator(first)).detach())[0])) / 2
    twin.learn("discriminator", loss=loss_d)
    chances = torch.sigmoid(generator(third))
    reconstruction = -(real * chances.log() + (1 - real) * (1 - chances).log()).sum(1).mean()
    loss_g = yes(discriminator(torch.sigmoid(generator(second)))[0])
    agree(
        {name: losses[name] for name in ("discriminator", "adversarial", "reconstruction")},
        {"discriminator": loss_d, "adversarial": loss_g, "reconstruction": reconstruction},
    )
    assert generator(first).shape[1] == encoder.down[0].in_channels == 3


def test_r1_is_paid_in_one_step_of_eight_and_eightfold():
    """r1 / 2 times the squared gradient of the logits at real maps (Mescheder et al. 2018, eq. 9)."""
    made = trainer(parts="generate", reconstruction=0.0, r1=3.0, learning_rate=1e-12)
    generator, discriminator, paid = made.networks["generator"], made.networks["discriminator"], 0
    heard, parameters = listen(generator), list(discriminator.parameters())
    for step in range(64):
        torch.manual_seed(step)
        made.training_step(batch())
        z, real = heard[-2], one_hot(batch()["label"], 3).requires_grad_()
        discriminator.requires_grad_(True)
        (logits,) = discriminator(real)
        loss = yes(logits - discriminator(generator(z).softmax(1).detach())[0])
        plain = torch.autograd.grad(loss, parameters, retain_graph=True)
        slope = torch.autograd.grad(logits.sum(), real, create_graph=True)[0]
        penalty = torch.autograd.grad(slope.pow(2).sum() / 3 * 3.0 / 2, parameters, allow_unused=True)
        grown = [parameter.grad - one for parameter, one in zip(parameters, plain, strict=True)]
        if float(sum(one.norm() for one in grown)) < 1e-3:
            continue
        paid += 1
        largest = max(float(one.norm()) for one in grown)
        for one, part in zip(grown, penalty, strict=True):
            wanted = torch.zeros_like(one) if part is None else 8 * part
            assert float((one - wanted).norm()) <= 1e-2 * float(wanted.norm()) + 1e-4 * largest
    assert 3 <= paid <= 14  # 8 are to be expected


def test_draws_are_one_hot_and_come_as_often_as_they_are_likely():
    made = trainer(parts="generate", fakes="gumbel", reconstruction=0.0)
    likely, last = torch.tensor([0.6, 0.3, 0.1]), made.networks["generator"].refine
    last.weight.data.zero_()
    last.bias.data.copy_(likely.log())
    heard = listen(made.networks["discriminator"])
    made.training_step(batch())
    for shown in heard:
        torch.testing.assert_close(shown, one_hot(shown.argmax(1), 3))
    torch.testing.assert_close(heard[1].mean((0, 2, 3)), likely, atol=0.03, rtol=0)
    assert float(last.bias.grad.norm()) > 0


def test_the_segmenters_objective_is_the_cross_entropy_of_the_true_classes(monkeypatch):
    fade = 0.2  # damage that can be undone, to know what is true
    monkeypatch.setattr("artkit_semgan.damage.damage", lambda pictures: fade * pictures + (1 - fade) / 2)
    made = trainer(parts="segment")
    twin = Twin(made, {("segmenter",): (0.9, 0.99)})
    heard = listen(made.networks["segmenter"])
    for step in range(3):
        losses = made.training_step(batch())
        picture = heard[step]
        assert picture.shape == (2, 3, 16, 16)
        truth = nearest_palette((picture - (1 - fade) / 2) / fade, CLASSES)
        logits = twin.networks["segmenter"](picture).double()
        loss = -logits.log_softmax(1).gather(1, truth[:, None]).mean()
        twin.learn("segmenter", loss=loss)
        agree(losses, {"segmentation": loss})


def test_the_rate_falls_and_the_averages_are_exported(maps, tmp_path, monkeypatch):
    check_run(
        monkeypatch,
        SemganTrainer,
        lambda values: train("semgan", str(maps), tmp_path / "run", values=TINY | values),
        {"generator", "segmenter"},
    )


def test_about_half_of_the_maps_are_mirrored_left_to_right():
    torch.manual_seed(0)
    whole = torch.arange(64 * 12).reshape(64, 3, 4)
    made = mirror_some(whole)
    flipped, kept = ((made == other).all((1, 2)) for other in (whole.flip(2), whole))
    assert (flipped ^ kept).all()
    assert 16 < int(flipped.sum()) < 48


def test_maps_are_mirrored_where_the_settings_say_so(monkeypatch):
    mirrored = []
    monkeypatch.setattr("artkit_semgan.trainer.mirror_some", lambda labels: mirrored.append(len(labels)) or labels)
    for mirror in (False, True):
        options = SemganTraining(parts="segment", patches=1, patch=16, **SIZES)
        trainer = SemganTrainer(options, Settings(batch=3, crop=32, mirror=mirror), Maps())
        trainer.training_step({"label": torch.zeros(3, 32, 32, dtype=torch.int64)})
    assert mirrored == [3]


def test_what_is_exported_covers_as_much_with_each_class_as_real_maps():
    made = trainer()
    made.training_step(batch())
    raw = made.exported("generator").state_dict()
    exported = made.export()[1]
    assert any(not torch.equal(exported[f"generator.{name}"], tensor) for name, tensor in raw.items())
