"""Losses against the papers' formulas, written out again here."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from artkit.nn import (
    discriminator_loss,
    feature_matching,
    generator_loss,
    gradient_penalty,
    is_penalty_due,
    lowpass_l1,
)


def test_the_relativistic_losses_compare_real_with_fake_place_by_place():
    real, fake = torch.randn(2, 1, 3, 3), torch.randn(2, 1, 3, 3)
    ours = -torch.sigmoid(real - fake).log().mean(), -torch.sigmoid(fake - real).log().mean()
    assert torch.allclose(discriminator_loss(real, fake, "relativistic"), ours[0], atol=1e-6)
    assert torch.allclose(generator_loss(fake, "relativistic", real), ours[1], atol=1e-6)
    with pytest.raises(ValueError, match="needs the logits of real"):
        generator_loss(fake, "relativistic")


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "hinge", "relativistic"])
def test_scales_count_alike_whatever_their_size(mode):
    real, fake = ([torch.randn(2, 1, side, side) for side in (8, 4)] for _ in range(2))
    alone = [discriminator_loss(r, f, mode) for r, f in zip(real, fake, strict=True)]
    assert torch.allclose(discriminator_loss(real, fake, mode), torch.stack(alone).mean())
    alone = [generator_loss(f, mode, r) for r, f in zip(real, fake, strict=True)]
    assert torch.allclose(generator_loss(fake, mode, real), torch.stack(alone).mean())


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "hinge", "relativistic"])
def test_a_step_down_the_loss_tells_real_from_fake_and_the_generator_undoes_it(mode):
    """Gradients point where they should: a sign turned in any loss shows here."""
    real, fake = torch.full((1, 4), -0.3, requires_grad=True), torch.full((1, 4), 0.2, requires_grad=True)
    discriminator_loss(real, fake, mode).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    fake.grad = None
    generator_loss(fake, mode, real).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "hinge", "relativistic"])
def test_losses_of_half_precision_logits_are_float32(mode):
    logits = torch.linspace(-3, 3, 1001).bfloat16()[None]
    loss = discriminator_loss(logits, -logits, mode)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, discriminator_loss(logits.float(), -logits.float(), mode))


def test_r1_is_the_squared_gradient_at_real_pictures():
    """Of a quadratic discriminator sum(w x²), whose gradient 2 w x is known."""
    x, w = torch.randn(3, 2, 4, 4, requires_grad=True), torch.randn(2, 4, 4, requires_grad=True)
    penalty = gradient_penalty((w * x.square()).sum((1, 2, 3))[:, None], x)
    expected = (2 * w * x).square().sum((1, 2, 3)).mean()
    assert torch.allclose(penalty, expected, rtol=1e-5)
    ours, wanted = (torch.autograd.grad(value, w, retain_graph=True)[0] for value in (penalty, expected))
    assert torch.allclose(ours, wanted, rtol=1e-4)


def test_r1_averages_places_and_adds_scales():
    net, x = nn.Conv2d(2, 1, 3, padding=1), torch.randn(2, 2, 8, 8, requires_grad=True)
    fine, coarse = net(x), net(F.avg_pool2d(x, 2))
    total = fine.flatten(1).mean(1).sum() + coarse.flatten(1).mean(1).sum()
    expected = torch.autograd.grad(total, x, retain_graph=True)[0].square().sum((1, 2, 3)).mean()
    assert torch.allclose(gradient_penalty([fine, coarse], x), expected)


def test_a_lazy_penalty_is_due_once_in_so_many_steps():
    torch.manual_seed(0)
    due = sum(is_penalty_due(8) for _ in range(8000))
    assert 900 < due < 1100
    assert all(is_penalty_due(1) for _ in range(100))


def test_feature_matching_compares_every_activation_of_every_scale_but_the_logits():
    real, fake = ([[torch.randn(1, 2, 4, 4) for _ in range(3 + scale)] for scale in range(2)] for _ in range(2))
    pairs = [pair for scales in zip(real, fake, strict=True) for pair in list(zip(*scales, strict=True))[:-1]]
    gaps = [(f - r).abs().mean() for r, f in pairs]
    assert len(gaps) == 5
    assert torch.allclose(feature_matching(real, fake), torch.stack(gaps).mean())
    with pytest.raises(ValueError, match="zip"):
        feature_matching(real[:1], fake)
    with pytest.raises(ValueError, match="zip"):
        feature_matching([real[0][:2], real[1]], fake)


def test_scales_that_have_no_partner_are_a_mistake():
    with pytest.raises(ValueError, match="zip"):
        discriminator_loss([torch.randn(1, 1, 4, 4)], [torch.randn(1, 1, 4, 4)] * 2, "relativistic")


def test_the_cells_of_a_low_pass_at_the_border_are_averages_too():
    """Five pixels in cells of two: the last cell averages the one that is left."""
    output, target = torch.rand(1, 1, 5, 5), torch.rand(1, 1, 5, 5)
    ends = ((0, 2), (2, 4), (4, 5))
    cells = [(output - target)[..., a:b, c:d].mean().abs() for a, b in ends for c, d in ends]
    assert torch.allclose(lowpass_l1(output, target, 2), torch.stack(cells).mean())
