"""superres' training step is SRGAN's objective with its stand-ins for VGG, value and gradient, for every scale."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from artkit.training import train
from artkit_superres.trainer import SuperresTrainer
from objectives import Twin, agree, check_run, enliven, listen, no, yes
from test_superres_training import RUN, SHARP, batch_of, folder, trainer

__all__ = ["folder"]

WEIGHTS = {"content": 3.0, "texture": 0.7, "adversarial": 0.2, "matching": 0.3}


def energies(picture):
    """The root mean square of 24 fixed random filters' responses, in cells of 8 x 8 pixels, 4 apart."""
    filters = torch.randn(24, 75, generator=torch.Generator().manual_seed(0))
    filters = filters - filters.mean(1, keepdim=True)
    filters = filters / filters.pow(2).sum(1, keepdim=True).sqrt()
    side = picture.shape[-1] - 4
    responses = (filters @ F.unfold(picture, 5)).unflatten(2, (side, side))
    cells = responses.unfold(2, 8, 4).unfold(3, 8, 4)
    return (cells.pow(2).mean((4, 5)) + 1e-6).sqrt()


def activations(discriminator, picture):
    """The outputs of every stage but the last, and the logits."""
    found = []
    for stage in discriminator.scales[0].stages:
        picture = stage(picture)
        found.append(picture)
    return found[:-1], found[-1]


@pytest.mark.parametrize("pixel", ["mse", "l1"])
def test_the_objective_of_one_step(folder, pixel):
    """pixel + texture + 10^-3 adversarial (Ledig et al. 2017, eq. 3), + feature matching (Wang et al. 2018, eq. 4)."""
    made, batch = enliven(trainer(folder, pixel=pixel, **WEIGHTS)), batch_of(folder)
    of_generator, of_discriminator = (0.9, 0.999), (0.5, 0.999)
    twin = Twin(
        made,
        {
            ("x2",): of_generator,
            ("discriminator_x2",): of_discriminator,
            ("x4",): of_generator,
            ("discriminator_x4",): of_discriminator,
        },
    )
    heard = {scale: listen(made.networks[f"x{scale}"]) for scale in (2, 4)}
    for step in range(3):
        losses, expected = made.training_step(batch), {}
        for scale in (2, 4):
            target = batch["photo"][..., : 8 * scale, : 8 * scale]
            small = F.interpolate(target, size=(8, 8), mode="bicubic", antialias=True)
            assert torch.equal(heard[scale][step], (small.clamp(0, 1) * 255).round() / 255)
            output = twin.networks[f"x{scale}"](heard[scale][step])
            discriminator = twin.networks[f"discriminator_x{scale}"]
            real, fake = (activations(discriminator, one * 2 - 1)[1] for one in (target, output.detach()))
            loss_d = (yes(real) + no(fake)) / 2
            twin.learn(f"discriminator_x{scale}", loss=loss_d)
            made_features, logits = activations(discriminator, output * 2 - 1)
            with torch.no_grad():
                real_features, _ = activations(discriminator, target * 2 - 1)
            gaps = [(a - b).abs().mean() for a, b in zip(made_features, real_features, strict=True)]
            gap = output - target
            parts = {
                pixel: gap.pow(2).mean() if pixel == "mse" else gap.abs().mean(),
                "texture": (energies(output) - energies(target)).abs().mean(),
                "adversarial": yes(logits),
                "matching": sum(gaps) / len(gaps),
            }
            content, texture, adversarial, matching = parts.values()
            twin.learn(f"x{scale}", loss=3 * content + 0.7 * texture + 0.2 * adversarial + 0.3 * matching)
            expected |= {f"{name}_x{scale}": loss for name, loss in (parts | {"discriminator": loss_d}).items()}
        agree(losses, expected)


@pytest.mark.parametrize("alone", ["content", "texture", "adversarial", "matching"])
def test_each_weight_is_its_own_terms(folder, alone):
    """Twice the one weight is twice the gradient where the others are 0."""
    gradients = []
    for weight in (0.5, 1.0):
        weights = dict.fromkeys(WEIGHTS, 0.0) | {alone: weight}
        made = enliven(trainer(folder, scales=(2,), **weights))
        made.training_step(batch_of(folder))
        gradients.append(torch.cat([one.grad.flatten() for one in made.networks["x2"].parameters()]))
    assert float(gradients[0].norm()) > 0
    torch.testing.assert_close(2 * gradients[0], gradients[1], rtol=1e-3, atol=1e-5)


def test_the_rate_falls_and_the_average_is_exported(folder, tmp_path, monkeypatch):
    check_run(
        monkeypatch,
        SuperresTrainer,
        lambda values: train("superres", str(folder), tmp_path / "run", values=RUN | SHARP | values),
        {"x2", "x4"},
    )


def test_a_run_without_settings_is_the_papers():
    """Ledig et al. 2017, section 3.2: 16 crops of 96 pixels, a learning rate of 0.0001."""
    assert SuperresTrainer.defaults == {"batch": 16, "crop": 96, "learning_rate": 0.0001}
