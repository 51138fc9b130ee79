"""CAN's training step is the paper's objective (Elgammal et al. 2017, section 3.2, eq. 1), value and gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from artkit.training import train
from artkit_can.trainer import CanTrainer
from objectives import Twin, agree, check_run, enliven, listen, no, yes
from test_can_training import DATA, TINY, batch, trainer

STYLES = torch.tensor([0, 1, 0, 1])  # of `batch`
MODERN = {
    "gan": "relativistic", "style_form": "softmax", "patches": True, "discriminator_norm": "none", "upsample": "resize",
}  # fmt: skip


def test_the_papers_objective():
    """min_G max_D of log Dr(x) + log Dc(c|x), and log(1 - Dr(G(z))) less K cross-entropies of 1/K with Dc.

    The discriminator's adversarial part is halved, the generator's non-saturating.
    """
    made = enliven(trainer(ambiguity=3.0))
    twin = Twin(made, {("generator",): (0.5, 0.999), ("discriminator",): (0.5, 0.999)})
    heard = listen(made.networks["generator"])
    generator, discriminator = twin.networks["generator"], twin.networks["discriminator"]
    right = F.one_hot(STYLES, 2).double()
    for step in range(3):
        torch.manual_seed(step)
        losses = made.training_step(batch())
        fake = generator(heard[step])
        (real,), styles = discriminator(batch()["image"] * 2 - 1)
        (false,), _ = discriminator(fake.detach())
        p = torch.sigmoid(styles.double())
        art = (yes(real) + no(false)) / 2
        style = -(right * p.log() + (1 - right) * (1 - p).log()).sum(1).mean()
        twin.learn("discriminator", loss=art + style)
        (fake_logits,), styles = discriminator(fake)
        p = torch.sigmoid(styles.double())
        ambiguity = -(p.log() / 2 + (1 - 1 / 2) * (1 - p).log()).sum(1).mean()
        twin.learn("generator", loss=yes(fake_logits) + 3 * ambiguity)
        floor = 2 * torch.log(torch.tensor(2.0))
        agree(
            losses,
            {"discriminator": art, "style": style, "adversarial": yes(fake_logits), "ambiguity": ambiguity - floor},
        )


def test_the_objective_of_the_model_that_ships():
    """Relativistic pairs on both scales, styles as one choice of K, Adam without momentum."""
    made = enliven(trainer(ambiguity=3.0, **MODERN))
    twin = Twin(made, {("generator",): (0.0, 0.99), ("discriminator",): (0.0, 0.99)})
    heard = listen(made.networks["generator"])
    generator, discriminator = twin.networks["generator"], twin.networks["discriminator"]
    for step in range(3):
        torch.manual_seed(step)
        losses = made.training_step(batch())
        fake = generator(heard[step])
        real, styles = discriminator(batch()["image"] * 2 - 1)
        false, _ = discriminator(fake.detach())
        assert len(real) == 2
        art = (yes(real[0] - false[0]) + yes(real[1] - false[1])) / 2
        style = -styles.double().log_softmax(1)[range(4), STYLES].mean()
        twin.learn("discriminator", loss=art + style)
        fake_logits, styles = discriminator(fake)
        adversarial = sum(yes(one - two.detach()) for one, two in zip(fake_logits, real, strict=True)) / 2
        ambiguity = -styles.double().log_softmax(1).mean(1).mean()
        twin.learn("generator", loss=adversarial + 3 * ambiguity)
        floor = torch.log(torch.tensor(2.0))
        agree(
            losses, {"discriminator": art, "style": style, "adversarial": adversarial, "ambiguity": ambiguity - floor}
        )


@pytest.mark.parametrize("patches", [False, True])
def test_r1_is_paid_in_one_step_of_sixteen_and_sixteenfold(patches):
    """R1 = r1 / 2 times the squared gradient of the logits at real pictures (Mescheder et al. 2018, eq. 9)."""
    made = enliven(trainer(r1=3.0, discriminator_norm="none", patches=patches, learning_rate=1e-12))
    generator, discriminator = made.networks["generator"], made.networks["discriminator"]
    heard = listen(generator)
    parameters, paid, steps = list(discriminator.parameters()), 0, 96
    for step in range(steps):
        torch.manual_seed(step)
        made.training_step(batch())
        z, real = heard[-1], (batch()["image"] * 2 - 1).requires_grad_()
        discriminator.requires_grad_(True)
        logits, styles = discriminator(real)
        false, _ = discriminator(generator(z).detach())
        loss = sum((yes(one) + no(other)) / 2 for one, other in zip(logits, false, strict=True)) / len(logits)
        right = F.one_hot(STYLES, 2).float()
        loss = loss + F.binary_cross_entropy_with_logits(styles, right, reduction="none").sum(1).mean()
        plain = torch.autograd.grad(loss, parameters, retain_graph=True)
        slope = torch.autograd.grad(sum(one.flatten(1).mean(1).sum() for one in logits), real, create_graph=True)[0]
        penalty = torch.autograd.grad(slope.pow(2).sum() / 4 * 3.0 / 2, parameters, allow_unused=True)
        grown = [parameter.grad - one for parameter, one in zip(parameters, plain, strict=True)]
        if float(sum(one.norm() for one in grown)) < 1e-4:
            continue
        paid += 1
        for one, part in zip(grown, penalty, strict=True):
            torch.testing.assert_close(one, torch.zeros_like(one) if part is None else 16 * part, rtol=1e-2, atol=2e-5)
    assert 2 <= paid <= 12  # 6 are to be expected


def test_the_rate_falls_and_the_average_is_exported(tmp_path, monkeypatch):
    check_run(monkeypatch, CanTrainer, lambda values: train("can", DATA, tmp_path, values=TINY | values), {"generator"})
