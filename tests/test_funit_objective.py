"""funit's objectives against formulas written down here: the paired one, and the paper's."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import artkit_funit.trainer
from artkit.data.needs import list_trainable, list_untrainable
from artkit_atelier import LandscapesOptions
from artkit_atelier.streaming import Landscapes
from funit_kit import CLASSES, PAIRED, batch, data, make
from objectives import agree, enliven

WEIGHTS = {"adversarial": 1, "matching": 10, "reconstruction": 4, "lowpass": 10, "contrast": 2}


def one_hot(trainer, given) -> Tensor:
    """A one for each word of a class."""
    rows = []
    for place in range(2):
        words = [given[name][place] for name in trainer.classes.known]
        known = [word for name in trainer.classes.known for word in trainer.dataset.columns[name].values]
        counts, start = torch.zeros(len(known)), 0
        for name, word in zip(trainer.classes.known, words, strict=True):
            values = trainer.dataset.columns[name].values
            counts[start + values.index(word)] = 1
            start += len(values)
        rows.append(counts)
    return torch.stack(rows)


def logits_of(judge, shown: Tensor, c: Tensor) -> tuple[list[list[Tensor]], list[Tensor]]:
    """Return activations and logits of each scale: the agreement of each patch with the class's embedding is added."""
    features, logits = [], []
    for index, scale in enumerate(judge.scales):
        activations = scale.features(shown if index == 0 else F.avg_pool2d(shown, 2))
        embedding = c @ judge.projections[index].weight.T
        x = activations[-2]
        agreed = torch.einsum("nchw,nc->nhw", x, embedding)[:, None] / x.shape[1] ** 0.5
        added = (agreed[..., 1:, 1:] + agreed[..., :-1, 1:] + agreed[..., 1:, :-1] + agreed[..., :-1, :-1]) / 4
        features.append(activations)
        logits.append(activations[-1] + added)
    return features, logits


def hinge(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    pairs = zip(real, fake, strict=True)
    return torch.stack([((1 - r).clamp_min(0).mean() + (1 + f).clamp_min(0).mean()) / 2 for r, f in pairs]).mean()


def matching(real: list[list[Tensor]], fake: list[list[Tensor]], means: bool) -> Tensor:
    """L1 of activations but the logits, or of their means over places, averaged over layers."""
    gaps = []
    for one, other in zip(real, fake, strict=True):
        for r, f in list(zip(one, other, strict=True))[:-1]:
            gap = f.mean((2, 3)) - r.detach().mean((2, 3)) if means else f - r.detach()
            gaps.append(gap.abs().mean())
    return torch.stack(gaps).mean()


def contrast(picture: Tensor) -> Tensor:
    ones = torch.ones(3, 1, 9, 9)
    summed, count = (F.conv2d(of, ones, padding=4, groups=3) for of in (picture, torch.ones_like(picture)))
    return ((F.avg_pool2d((picture - summed / count) ** 2, 16)) + 1e-4).sqrt().log()


def check_gradients(networks, twins, loss: Tensor) -> None:
    mine = [parameter for twin in twins for parameter in twin.parameters()]
    theirs = [parameter.grad for network in networks for parameter in network.parameters()]
    for gradient, other in zip(torch.autograd.grad(loss, mine, allow_unused=True), theirs, strict=True):
        if gradient is None:
            assert other is None or not other.any()
        else:
            torch.testing.assert_close(other, gradient, rtol=5e-3, atol=5e-5)


@pytest.mark.parametrize("text", [PAIRED, CLASSES], ids=["paired", "paper"])
def test_losses_and_gradients(text):
    trainer, given = enliven(make(text, spectral=False, start_from=0, r1=0.0)), batch(text)
    before = copy.deepcopy(trainer.networks)
    losses = trainer.training_step(given)
    generator, encoder, judge = (before[name] for name in ("generator", "encoder", "discriminator"))
    x, t, y = (given[name] * 2 - 1 for name in (trainer.content, trainer.picture, trainer.partner))
    z, c = given["z"] * 2 - 1, one_hot(trainer, given)
    assert not torch.equal(c[0], c[1])
    if text == PAIRED:
        fake = reconstruction = generator(x, z, encoder(y))
        shown, wanted = t, c
    else:
        reconstruction, fake = generator(x, z, encoder(x)), generator(x, z, encoder(y[[1, 0]]))
        shown, wanted = y[[1, 0]], c[[1, 0]]

    _, real = logits_of(judge, t, c)
    _, made = logits_of(judge, fake.detach(), wanted)
    _, wrong = logits_of(judge, t, c[[1, 0]])
    check_gradients([trainer.discriminator], [judge], hinge(real, made) + 0.25 * hinge(real, wrong))

    real_features, _ = logits_of(trainer.discriminator, shown, wanted)
    features, logits = logits_of(trainer.discriminator, fake, wanted)
    expected = {
        "adversarial": -torch.stack([scale.mean() for scale in logits]).mean(),
        "matching": matching(real_features, features, means=text == CLASSES),
        "reconstruction": (reconstruction - t).abs().mean(),
        "lowpass": (F.avg_pool2d(reconstruction, 8) - F.avg_pool2d(t, 8)).abs().mean(),
        "contrast": (contrast(reconstruction) - contrast(t)).abs().mean(),
    }
    agree(losses, {"discriminator": hinge(real, made), **expected})
    total = sum(WEIGHTS[name] * value for name, value in expected.items())
    check_gradients([trainer.generator, trainer.encoder], [generator, encoder], total)


def test_the_gradient_penalty_is_on_real_pictures_under_their_class(monkeypatch):
    """R1 (eq. 3 and Mescheder et al. 2018): half of 3 times 16 times the squared gradient, where it is due."""
    monkeypatch.setattr(artkit_funit.trainer, "is_penalty_due", lambda every: every == 16)
    trainer, given = enliven(make(spectral=False, start_from=0, r1=3.0, mismatched=0.0)), batch()
    before = copy.deepcopy(trainer.networks)
    trainer.training_step(given)
    generator, encoder, judge = (before[name] for name in ("generator", "encoder", "discriminator"))
    x, t, y, z = (given[name] * 2 - 1 for name in ("content", "painting", "partner", "z"))
    c, t = one_hot(trainer, given), t.requires_grad_()
    fake = generator(x, z, encoder(y)).detach()
    (_, real), (_, made) = logits_of(judge, t, c), logits_of(judge, fake, c)
    slopes = torch.autograd.grad(sum(scale.flatten(1).mean(1).sum() for scale in real), t, create_graph=True)[0]
    penalty = slopes.square().flatten(1).sum(1).mean()
    check_gradients([trainer.discriminator], [judge], hinge(real, made) + 3.0 / 2 * 16 * penalty)


def test_pictures_of_the_same_class_are_no_wrong_ones():
    trainer = enliven(make(CLASSES, spectral=False, start_from=0, r1=0.0))
    given = batch(CLASSES) | {"class": ["ink", "ink"]}
    before = copy.deepcopy(trainer.networks)
    trainer.training_step(given)
    x, z, c = given["image"] * 2 - 1, given["z"] * 2 - 1, one_hot(trainer, given)
    fake = before["generator"](x, z, before["encoder"](x[[1, 0]])).detach()
    (_, real), (_, made) = (logits_of(before["discriminator"], one, c) for one in (x, fake))
    check_gradients([trainer.discriminator], [before["discriminator"]], hinge(real, made))


def test_codes_were_worked_out_and_learn_ten_times_as_slowly():
    trainer = make()
    before = trainer.encoder.project.clone()
    trainer.training_step(batch())
    assert not torch.equal(trainer.encoder.project, before)
    worked_out = trainer.encoder.project.clone()
    trainer.step = 1
    trainer.training_step(batch())
    assert torch.equal(trainer.encoder.project, worked_out)
    fast, slow = trainer.optimisers["generator"].param_groups
    assert slow["lr"] == pytest.approx(0.1 * fast["lr"])
    assert set(slow["params"]) == set(trainer.encoder.parameters())
    assert len(fast["params"]) == len(list(trainer.generator.parameters()))


def test_data_with_classes_will_do():
    learns = {each["method"]: each["learns"] for each in list_trainable("d", data(CLASSES))}
    assert learns["funit"] == "image by class (3 values)"
    plain = Landscapes(LandscapesOptions(count=4, size=(16, 16)))
    plain.columns = {"photo": plain.columns["photo"]}
    assert "a folder a class" in list_untrainable(plain)["funit"]
