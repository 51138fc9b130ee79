"""Touchup's training step teaches each artist its half of the residual (Tucker 2022), value and gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from artkit.training import train
from artkit_touchup.trainer import TouchupTrainer
from objectives import Twin, agree, check_run, enliven, no, yes
from test_touchup_training import RUN, Inverted, _with_tiny_methods, batch_of, folder, trainer

__all__ = ["_with_tiny_methods", "folder"]


def squares(real):
    """Least-squares GAN (Mao et al. 2017), as a function of logits that should be taken for real, or not."""
    return lambda logits: (logits - float(real)).pow(2).mean()


def contrast(picture):
    """Logarithm of the root mean square of what averages over 9 x 9 pixels leave, in cells of 16."""
    height, width = picture.shape[-2:]
    blurred = torch.stack(
        [
            picture[..., max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5].mean((-2, -1))
            for y in range(height)
            for x in range(width)
        ],
        -1,
    ).view_as(picture)
    squares = (picture - blurred) ** 2
    cells = [squares[..., y : y + 16, x : x + 16].mean((-2, -1)) for y in (0, 16) for x in (0, 16)]
    return (torch.stack(cells, -1) + 1e-4).sqrt().log()


def blurred(picture):
    """A Gaussian of 1 pixel, over 3 pixels to each side; beyond the border the last pixel goes on."""
    offsets = torch.arange(-3.0, 4)
    weights = torch.exp(-(offsets**2) / 2)
    weights = (weights / weights.sum()).tolist()
    for dim in (-2, -1):
        indices = [(torch.arange(picture.shape[dim]) + int(by)).clamp(0, picture.shape[dim] - 1) for by in offsets]
        picture = sum(w * picture.index_select(dim, index) for w, index in zip(weights, indices, strict=True))
    return picture


@pytest.mark.parametrize("smooth", [0.0, 1.0])
@pytest.mark.parametrize("seen", ["residuals", "picture"])
@pytest.mark.parametrize("gan", ["vanilla", "lsgan"])
def test_the_objective_of_one_step(seen, gan, smooth):
    """l1 (|A+ - max(R, 0)| + |A- - max(-R, 0)|), R = T - G, + an adversarial and a low-pass loss."""
    data = Inverted()
    weights = {"l1": 7.0, "lowpass": 5.0, "lowpass_cell": 4, "contrast": 2.0, "adversarial": 0.6, "smooth": smooth}
    made = enliven(trainer(data, discriminator_input=seen, gan=gan, **weights))
    batch, adam = batch_of(made, data), (0.5, 0.999)
    batch["painting"] = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    twin = Twin(made, {("additive", "subtractive"): adam, ("discriminator",): adam})
    artists, discriminator = (
        [twin.networks[name] for name in ("additive", "subtractive")],
        twin.networks["discriminator"],
    )
    real_loss, fake_loss = (yes, no) if gan == "vanilla" else (squares(True), squares(False))
    generated, target, places = batch["generated"], batch["painting"], batch["places"]
    residual = target - generated
    wanted = torch.where(residual > 0, residual, 0.0), torch.where(residual < 0, -residual, 0.0)
    assert all(float(part.mean()) > 0.02 for part in wanted)

    def corrected(add, take):
        return generated + (blurred(add - take) if smooth else add - take)

    def show(add, take):
        shown = [generated, add, take] if seen == "residuals" else [generated, corrected(add, take)]
        return torch.cat([2 * one - 1 for one in shown], 1)

    for _ in range(3):
        losses = made.training_step(batch)
        add, take = (artist(generated, places) for artist in artists)
        (real,), (fake,) = (discriminator(show(*one)) for one in (wanted, (add.detach(), take.detach())))
        loss_d = (real_loss(real) + fake_loss(fake)) / 2
        twin.learn("discriminator", loss=loss_d)
        (logits,) = discriminator(show(add, take))
        parts = {
            "additive": (add - wanted[0]).abs().mean(),
            "subtractive": (take - wanted[1]).abs().mean(),
            "lowpass": F.avg_pool2d(corrected(add, take) - target, 4).abs().mean(),
            "contrast": (contrast(corrected(add, take)) - contrast(target)).abs().mean(),
            "adversarial": real_loss(logits),
        }
        loss = 7 * (parts["additive"] + parts["subtractive"]) + 5 * parts["lowpass"] + 0.6 * parts["adversarial"]
        loss = loss + 2 * parts["contrast"]
        twin.learn("additive", "subtractive", loss=loss)
        agree(losses, parts | {"discriminator": loss_d})


def test_the_rate_falls_and_the_averages_are_exported(folder, tmp_path, monkeypatch):
    check_run(
        monkeypatch,
        TouchupTrainer,
        lambda values: train("touchup", str(folder), tmp_path / "run", values={"base": "invert", **RUN, **values}),
        {"additive", "subtractive"},
    )
