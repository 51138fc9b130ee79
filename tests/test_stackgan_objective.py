"""stackgan: no right caption is called wrong, and both stages minimise what they say, by an independent computation."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from artkit import OptionError
from artkit.images import one_hot, resize_image, resize_labels
from artkit.training import train
from artkit_stackgan.losses import divergence, find_wrong, matching_aware_loss, reading_loss
from artkit_stackgan.networks import LayoutGenerator, TextEncoder
from artkit_stackgan.words import bag_of
from stackgan_kit import batch_of, make


def test_a_right_caption_is_never_called_wrong():
    visible = torch.tensor([0, 1, 1, 1.0])  # quiet, lake, tree, dusk
    whole = torch.tensor([[1, 1, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0]], dtype=torch.float)
    places, found = find_wrong(whole, whole, visible)
    assert places[:2].tolist() == [2, 2]  # "quiet" alone makes no difference, "tree" does
    assert places[2] == 0  # dusk is not said of it
    assert found.all()
    assert not find_wrong(whole[:2], whole[:2], visible)[1].any()
    part = torch.tensor([[0, 1, 0, 0]] * 3, dtype=torch.float)
    assert not find_wrong(part, whole, visible)[1].any()  # a lake is right for all of them
    said = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 0]], dtype=torch.float)
    assert not find_wrong(said, whole[[2, 2]], visible)[1].any()  # a tree that was left out is there all the same


def test_the_matching_aware_loss_is_that_of_the_paper():
    """Half of log-real, a quarter of made and of wrong; in its hinge form."""
    right, made = [torch.tensor([[0.5], [2.0]])] * 2, [torch.tensor([[-0.2], [1.0]])] * 2
    wrong = torch.tensor([[-3.0]])
    real, fake, missed = (0.5 + 0) / 2, (0.8 + 2) / 2, 0.0
    assert float(matching_aware_loss(right, made, wrong)) == pytest.approx((real + fake) / 4 + (real + missed) / 4)
    assert float(matching_aware_loss(right, made, wrong[:0])) == pytest.approx((real + fake) / 2)


def test_the_divergence_is_that_of_torch():
    torch.manual_seed(0)
    a, b, c, d = torch.randn(4, 3, 5)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(a, (b / 2).exp()), torch.distributions.Normal(c, (d / 2).exp())
    )
    torch.testing.assert_close(divergence(a, b, c, d), expected)


def test_as_many_words_are_left_out_as_asked_for():
    torch.manual_seed(0)
    trainer = make(left_out=0.3)
    batch = {trainer.caption: ["a lake at noon"] * 4000}
    _, said, whole = trainer._listen(batch, torch.zeros(1))
    assert float(said.sum() / whole.sum()) == pytest.approx(0.7, abs=0.02)


def test_reading_asks_for_what_is_said_alone():
    logits, said = torch.tensor([[0.0, 5.0, -9.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    assert float(reading_loss(logits, said)) == pytest.approx(math.log(2))
    assert float(reading_loss(logits, torch.zeros(1, 3))) == 0


def same_gradients(network, total, names=None):
    parameters = dict(network.named_parameters())
    for name, gradient in zip(
        parameters,
        torch.autograd.grad(total, list(parameters.values()), allow_unused=True, retain_graph=True),
        strict=True,
    ):
        if gradient is not None:
            torch.testing.assert_close(names.get_parameter(name).grad, gradient, atol=1e-4, rtol=5e-3)


def twins(**options):
    """Return a trainer and another of the same weights, whose discriminators' norms no look turns."""
    trainer, twin = make(**options), make(**options)
    torch.manual_seed(5)
    for name in ("generator", "painter", "encoder", "text"):
        torch.nn.init.normal_(trainer.networks[name].leave.weight, 0, 0.1)
    for name, network in trainer.networks.items():
        twin.networks[name].load_state_dict(network.state_dict())
    for each in (trainer, twin):
        for name in ("discriminator", "second_discriminator"):
            each.networks[name].eval()
    return trainer, twin


WEIGHTS = {
    "reconstruction": 3.0, "prior": 0.4, "kl": 0.2, "adversarial": 0.7, "reading": 0.6, "matching": 0.5, "lowpass": 2.0,
    "contrast": 1.5,
}  # fmt: skip


def log_contrast(picture):
    """Logarithm of the root mean square, in cells of 16 px, of what a blur over 9 px leaves."""
    ones = torch.ones(3, 1, 9, 9)
    summed, count = (F.conv2d(of, ones, padding=4, groups=3) for of in (picture, torch.ones_like(picture)))
    return (F.avg_pool2d((picture - summed / count) ** 2, 16) + 1e-4).sqrt().log()


def test_stage_one_minimises_what_it_says():
    trainer, twin = twins(start_from=0, first=1.0, left_out=0.0, **WEIGHTS)
    batch, D = batch_of(0, 1, 2, 3), trainer.discriminator
    torch.manual_seed(3)
    losses = trainer.training_step(batch)

    torch.manual_seed(3)
    torch.rand(4), torch.rand(twin.vocabulary.encode(batch["caption"]).shape)
    m = F.avg_pool2d(one_hot(batch["label"], 3), 4)
    text = twin.vocabulary.encode(batch["caption"])
    said = bag_of(text, len(twin.vocabulary))
    q, p = twin.encoder(m), twin.text(text)
    codes = [mean + (spread / 2).exp() * torch.randn_like(mean) for mean, spread in (q, p)]
    logits = [twin.generator(code) for code in codes]
    made = [F.softmax(each, 1) for each in logits]
    d, wrong = twin.discriminator, find_wrong(said, said, torch.ones(len(twin.vocabulary)))[0]
    real = d.judge(d.features(m), said)
    fake = d.judge(d.features(torch.cat(made).detach()), torch.cat([said, said]))
    mistaken = d.judge(d.features(m), said[wrong])[0]
    hinges = [F.relu(1 - a).mean() / 2 + F.relu(1 + b).mean() / 2 for a, b in zip(real, fake, strict=True)]
    expected = sum(hinges) / 4 + (F.relu(1 - real[0]).mean() + F.relu(1 + mistaken).mean()) / 4
    torch.testing.assert_close(losses["discriminator"], expected)

    features, seen = D.features(torch.cat(made)), D.features(m)
    logits_of_made = D.judge(features, torch.cat([said, said]))
    found = {
        "adversarial": -sum(each.mean() for each in logits_of_made) / 2,
        "matching": sum((a[:4] - b.detach()).abs().mean() for a, b in zip(features[:-1], seen[:-1], strict=True))
        / (len(seen) - 1),
        "reading": (-F.logsigmoid(D.read(features[-1])) * torch.cat([said, said])).sum() / (2 * said.sum()),
        "reconstruction": -(m * F.log_softmax(logits[0], 1)).sum(1).mean(),
        "prior": divergence(*q, *p).mean(),
        "kl": (p[0].square() + p[1].exp() - 1 - p[1]).mean() / 2,
    }
    for name, value in found.items():
        torch.testing.assert_close(losses[name], value, atol=1e-4, rtol=1e-4)
    total = sum(WEIGHTS[name] * value for name, value in found.items())
    for name in ("generator", "encoder", "text"):
        same_gradients(twin.networks[name], total, trainer.networks[name])


def test_stage_two_minimises_what_it_says_and_leaves_stage_one_alone():
    trainer, twin = twins(start_from=0, first=0.0, left_out=0.0, **WEIGHTS)
    batch, D = batch_of(0, 1, 2, 3), trainer.second_discriminator
    torch.manual_seed(3)
    losses = trainer.training_step(batch)
    for name in ("text", "generator", "encoder"):
        for one, other in zip(trainer.networks[name].parameters(), twin.networks[name].parameters(), strict=True):
            assert torch.equal(one, other)

    torch.manual_seed(3)
    text = twin.vocabulary.encode(batch["caption"])
    torch.rand(4), torch.rand(text.shape)
    said, m, x = bag_of(text, len(twin.vocabulary)), one_hot(batch["label"], 3), batch["photo"] * 2 - 1
    mean, spread = twin.text(text)
    logits = twin.generator(mean + (spread / 2).exp() * torch.randn_like(mean))
    dreamt = one_hot(F.interpolate(logits, (32, 32), mode="bilinear").argmax(1), 3)
    layouts, twice = torch.cat([m, dreamt]), torch.cat([said, said])
    noise = torch.randn(8, 1, 32, 32)
    made = twin.painter(layouts, twin.colours(layouts, twice), noise, twice)
    features, seen = D.features(torch.cat([layouts, made], 1)), D.features(torch.cat([m, x], 1))
    found = {
        "adversarial": -sum(each.mean() for each in D.judge(features, twice)) / 2,
        "matching": sum((a[:4] - b.detach()).abs().mean() for a, b in zip(features[:-1], seen[:-1], strict=True))
        / (len(seen) - 1),
        "reading": (-F.logsigmoid(D.read(features[-1])) * twice).sum() / twice.sum(),
        "lowpass": (F.avg_pool2d(made[:4], 8) - F.avg_pool2d(x, 8)).abs().mean(),
        "contrast": (log_contrast(made[:4]) - log_contrast(x)).abs().mean(),
    }
    for name, value in found.items():
        torch.testing.assert_close(losses[name], value, atol=1e-4, rtol=1e-4)
    total = sum(WEIGHTS[name] * value for name, value in found.items())
    for name in ("painter", "colours"):
        same_gradients(twin.networks[name], total, trainer.networks[name])


@pytest.mark.parametrize("twice", [True, False])
def test_words_are_heard_once_or_twice(twice):
    """In the sketch's colours always; in stage II, however long it has learned, where they are heard twice."""
    trainer = make(start_from=0, first=0.0, left_out=0.0, twice=twice)
    torch.nn.init.normal_(trainer.painter.leave.weight, 0, 0.1)
    for _ in range(3):
        trainer.training_step(batch_of(0, 1, 2, 3))
    layout, noise = one_hot(batch_of(0)["label"], 3), torch.randn(1, 1, 32, 32)
    sketch, said = torch.rand(1, 3, 32, 32), torch.eye(len(trainer.vocabulary))
    painted = [trainer.painter(layout, sketch, noise, word[None]) for word in said]
    assert all(torch.equal(one, painted[0]) for one in painted) is not twice
    assert not torch.equal(trainer.colours(layout, said[:1]), trainer.colours(layout, said[1:2]))


def test_stage_two_builds_on_the_averages_of_stage_one():
    trainer = make(steps=4, first=0.5, start_from=0, ema=0.9)
    trainer.averages = {"text": TextEncoder(9, 6, 48), "generator": LayoutGenerator(6, 3, 8, 4)}
    torch.nn.init.normal_(trainer.averages["generator"].leave.weight)
    for step in range(3):
        trainer.step = step
        before = trainer.generator.leave.weight.clone()
        trainer.training_step(batch_of(0, 1, 2, 3))
        assert torch.equal(trainer.generator.leave.weight, trainer.averages["generator"].leave.weight) == (step == 2)
        assert step == 2 or not torch.equal(before, trainer.generator.leave.weight)


def test_what_was_worked_out_learns_ten_times_as_slowly():
    trainer = make(start_from=0)
    for name, layer in (("generator", trainer.text.base), ("painter", trainer.colours.table)):
        fast, slow = trainer.optimisers[name].param_groups
        assert slow["lr"] == pytest.approx(fast["lr"] / 10)
        assert any(parameter is layer.weight for parameter in slow["params"])


@pytest.mark.parametrize("crop", [48, 1024])
def test_the_crop_is_four_times_a_sketch(crop, tmp_path):
    with pytest.raises(OptionError, match=f"stackgan\\(crop={crop}\\): pictures are 32, 64, 128, 256, 512 px a side"):
        train("stackgan", "landscapes(count=4,size=[16,16])", tmp_path / "run", values={"crop": crop, "steps": 1})


def test_whole_pictures_and_maps_are_scaled_to_the_crop():
    trainer = make()
    labels = torch.arange(12 * 20).view(12, 20).remainder(3).to(torch.uint8)
    photo = torch.randint(256, (3, 12, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scaled = trainer.prepare({"label": labels, "photo": photo, "caption": "a lake"})
    assert torch.equal(scaled["label"], resize_labels(labels, (32, 32)))
    whole = resize_image(photo[None] / 255, (32, 32))[0] * 255
    assert scaled["photo"].dtype == torch.uint8
    assert (scaled["photo"] - whole).abs().max() <= 0.5 + 1e-4
    assert scaled["caption"] == "a lake"
    sample = {"label": labels.new_zeros(32, 32), "photo": photo.new_zeros(3, 32, 32)}
    assert all(trainer.prepare(dict(sample))[name] is value for name, value in sample.items())
