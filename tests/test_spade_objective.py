"""spade's objectives against formulas written down here: the paper's, and that of the small networks."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.data.needs import list_trainable, list_untrainable
from artkit.errors import OptionError
from artkit.images import one_hot
from artkit.training import Settings
from artkit_atelier import StylesOptions
from artkit_atelier.gallery import Gallery, list_paintings
from artkit_spade import SpadeTraining
from artkit_spade.trainer import SpadeTrainer, find_columns, find_conditions
from objectives import agree
from spade_kit import PAPER, SMALL, batch, data, make


def alive(trainer):
    """Draw weights that matter; those that training starts from let many a term pass unnoticed."""
    chance = torch.Generator().manual_seed(1)
    for network in trainer.networks.values():
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1 and "original" not in name:
                nn.init.kaiming_normal_(parameter, generator=chance)
    return trainer


def check_gradients(networks, twins, loss: Tensor) -> None:
    mine = [parameter for twin in twins for parameter in twin.parameters()]
    theirs = [parameter.grad for network in networks for parameter in network.parameters()]
    for gradient, other in zip(torch.autograd.grad(loss, mine, allow_unused=True), theirs, strict=True):
        if gradient is None:
            assert other is None or not other.any()
        else:
            torch.testing.assert_close(other, gradient, rtol=2e-3, atol=2e-5)


def logits_of(discriminator, shown: Tensor, w: Tensor | None) -> tuple[list[list[Tensor]], list[Tensor]]:
    """Return activations and logits of each scale; with a code, each patch's agreement with it is added."""
    features, logits = [], []
    for index, scale in enumerate(discriminator.scales):
        seen = shown if index == 0 else F.avg_pool2d(shown, 2)
        activations = scale.features(seen)
        added: Tensor | float = 0.0
        if w is not None:
            direction = w @ discriminator.projections[index].weight.T
            x = activations[-2]
            agreed = torch.einsum("nchw,nc->nhw", x, direction)[:, None] / x.shape[1] ** 0.5
            added = (agreed[..., 1:, 1:] + agreed[..., :-1, 1:] + agreed[..., 1:, :-1] + agreed[..., :-1, :-1]) / 4
        features.append(activations)
        logits.append(activations[-1] + added)
    return features, logits


def hinge(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Half of max(0, 1 - D(x)) + max(0, 1 + D(G)), averaged over scales."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([((1 - r).clamp_min(0).mean() + (1 + f).clamp_min(0).mean()) / 2 for r, f in pairs]).mean()


def matching(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    """L1 of activations but the logits, summed over layers and averaged over scales."""
    scales = zip(real, fake, strict=True)
    sums = [sum((f - r.detach()).abs().mean() for r, f in list(zip(*each, strict=True))[:-1]) for each in scales]
    return torch.stack(sums).mean()


def contrast(picture: Tensor) -> Tensor:
    """Logarithm of the root mean square, in cells of 16 px, of what a blur over 9 px leaves."""
    ones = torch.ones(3, 1, 9, 9)
    summed, count = (F.conv2d(of, ones, padding=4, groups=3) for of in (picture, torch.ones_like(picture)))
    return ((F.avg_pool2d((picture - summed / count) ** 2, 16)) + 1e-4).sqrt().log()


@pytest.mark.parametrize(
    ("own", "told", "network"),
    [(0.0, 0.0, "tables"), (1.0, 0.0, "tables"), (0.0, 1.0, "tables"), (0.0, 0.0, "concatenated")],
)
def test_small_networks(own, told, network):
    options = {
        "network": network,
        "norm": "instance",
        "own_style": own,
        "told": told,
        "spectral": False,
        "start_from": 0,
        "mismatched": 0.25,
        "consistency": 1.5,
    }
    trainer, given = alive(make(**options)), batch()
    before = copy.deepcopy(trainer.networks)
    losses = trainer.training_step(given)
    m, x, partner = one_hot(given["label"], 12), given["painting"] * 2 - 1, given["partner"] * 2 - 1
    generator, encoder, words, judge = (before[name] for name in ("generator", "encoder", "words", "discriminator"))
    known = [[given[name][row] for name in ("time", "weather", "style")] for row in (0, 1)]
    rows = trainer.conditions.encode([dict(zip(("time", "weather", "style"), row, strict=True)) for row in known])
    shown, said = encoder(x if own else partner), words(torch.cat([torch.ones(2, 1), rows], 1))
    w = said if told else shown
    fake = generator(torch.cat([m, given["z"] * 2 - 1, given["height"] * 2 - 1], 1), w)
    code = w.detach()

    _, real = logits_of(judge, torch.cat([m, x], 1), code)
    _, made = logits_of(judge, torch.cat([m, fake.detach()], 1), code)
    _, wrong = logits_of(judge, torch.cat([m, x], 1), code[[1, 0]])
    check_gradients([trainer.discriminator], [judge], hinge(real, made) + 0.25 * hinge(real, wrong))

    real_features, _ = logits_of(trainer.discriminator, torch.cat([m, x], 1), code)
    features, logits = logits_of(trainer.discriminator, torch.cat([m, fake], 1), code)
    expected = {
        "adversarial": -torch.stack([scale.mean() for scale in logits]).mean(),
        "matching": matching(real_features, features),
        "lowpass": (F.avg_pool2d(fake, 8) - F.avg_pool2d(x, 8)).abs().mean(),
        "l1": (fake - x).abs().mean(),
        "contrast": (contrast(fake) - contrast(x)).abs().mean(),
        "consistency": (encoder(fake) - code).abs().mean(),
        "words": (said - shown.detach()).abs().mean(),
    }
    agree(losses, {"discriminator": hinge(real, made), **expected})
    weights = {"adversarial": 1, "matching": 2, "lowpass": 12, "l1": 4, "contrast": 2, "consistency": 1.5, "words": 1}
    total = sum(weights[name] * value for name, value in expected.items())
    networks = [trainer.generator, trainer.encoder, trainer.words]
    check_gradients(networks, [generator, encoder, words], total)


def test_the_papers():
    weights = {
        "matching": 10.0,
        "lowpass": 0.0,
        "l1": 0.0,
        "contrast": 0.0,
        "kl": 0.05,
        "own_style": 1.0,
        "spectral": False,
    }
    trainer, given = alive(make(**PAPER | weights)), {name: batch()[name] for name in make(**PAPER).columns}
    before = copy.deepcopy(trainer.networks)
    torch.manual_seed(5)
    losses = trainer.training_step(given)
    torch.manual_seed(5)
    m, x = one_hot(given["label"], 12), given["painting"] * 2 - 1
    assert torch.rand(2, 1, 1, 1).max() < 1  # the trainer's draw of styles: always the picture's own
    mean, log_variance = before["encoder"].spread(x)
    z = mean + (log_variance / 2).exp() * torch.randn(2, 6)
    fake, judge = before["generator"](m, z), before["discriminator"]
    real_pair, fake_pair = torch.cat([m, x], 1), torch.cat([m, fake], 1)
    real, made = (logits_of(judge, pair.detach(), None)[1] for pair in (real_pair, fake_pair))
    check_gradients([trainer.discriminator], [judge], hinge(real, made))
    (real_features, _), (features, logits) = (
        logits_of(trainer.discriminator, pair, None) for pair in (real_pair, fake_pair)
    )
    expected = {
        "adversarial": -torch.stack([scale.mean() for scale in logits]).mean(),
        "matching": matching(real_features, features),
        "kl": -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(),
    }
    total = expected["adversarial"] + 10 * expected["matching"] + 0.05 * expected["kl"]
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, rtol=1e-3, atol=1e-5)
    check_gradients([trainer.generator, trainer.encoder], [before["generator"], before["encoder"]], total)


def test_columns_are_found_and_a_partner_is_no_target():
    trainer = make(target=None)
    assert (trainer.source.name, trainer.target.name, trainer.partner) == ("label", "photo", "partner")
    alone = make(target="partner", partner="painting")
    assert (alone.target.name, alone.partner) == ("partner", "painting")
    columns = {name: data().columns[name] for name in ("partner", "photo")}
    with pytest.raises(OptionError, match="'partner' holds no label maps"):
        find_columns(
            SimpleNamespace(columns=columns, column=columns.get), SpadeTraining(source="partner", target="photo")
        )
    with pytest.raises(OptionError, match=r"training spade: network=paper: .*48.*side"):
        SpadeTrainer(SpadeTraining(**PAPER), Settings(crop=48), data())
    known = (
        list_trainable("d", data()),
        list_untrainable(Gallery(list_paintings(StylesOptions(count=20, size=(16, 16))))),
    )
    assert {each["method"]: each["learns"] for each in known[0]}["spade"] == "label -> photo"
    assert "a column called 'label'" in known[1]["spade"]


def test_what_was_worked_out_learns_ten_times_as_slowly():
    trainer = make()
    fast, slow = trainer.optimisers["generator"].param_groups
    assert slow["lr"] == pytest.approx(0.1 * fast["lr"])
    expected = {*trainer.encoder.parameters(), *trainer.generator.base.parameters()}
    assert set(slow["params"]) == expected
    assert len(fast["params"]) + len(expected) == sum(
        len(list(trainer.networks[name].parameters())) for name in ("generator", "encoder", "words")
    )
    assert len(make(start_from=0).optimisers["generator"].param_groups) == 1  # nothing was
    options, settings = SpadeTraining(**SMALL | {"start_from": 0}), Settings(batch=2, crop=32, start="a-model")
    assert (
        len(SpadeTrainer(options, settings, data()).optimisers["generator"].param_groups) == 2
    )  # it was for the model
    [one], [other] = make(**PAPER).optimisers["generator"].param_groups, make().optimisers["discriminator"].param_groups
    assert (one["betas"], other["betas"]) == ((0.0, 0.9), (0.0, 0.99))


def test_defaults_are_those_asked_for_else_the_first_words():
    found = find_conditions(data(), SpadeTraining(default_conditions=("noon",)))
    assert {"time", "style"} <= found.known.keys()
    assert found.defaults == {name: words[0] for name, words in found.known.items()} | {"time": "noon"}
    assert found.known["time"][0] != "noon"
