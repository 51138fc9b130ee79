"""Building blocks against formulas and known values."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn
from torch.nn import functional as F

from artkit.nn import (
    Ema,
    InstanceNorm,
    MultiscaleDiscriminator,
    PatchDiscriminator,
    PictureBatchNorm,
    PictureDropout,
    ResnetGenerator,
    SubpixelNet,
    UnetGenerator,
    discriminator_loss,
    feature_matching,
    generator_loss,
    init_weights,
    lowpass_l1,
    seeded_dropout,
)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@given(st.integers(1, 9), st.integers(2, 9), st.integers(1, 3), st.booleans())
def test_instance_norm_is_the_formula_in_training_and_inference(height, width, batch, training):
    x = torch.randn(batch, 5, height, width, requires_grad=training)
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, unbiased=False)
    expected = (x - mean) / (variance + 1e-5).sqrt()
    assert torch.allclose(InstanceNorm(5)(x), expected, atol=1e-4)


def test_instance_norm_takes_a_single_pixel():
    assert torch.equal(InstanceNorm(3)(torch.randn(2, 3, 1, 1, requires_grad=True)), torch.zeros(2, 3, 1, 1))


def test_instance_norm_keeps_channels_last():
    x = torch.randn(2, 8, 6, 6).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert InstanceNorm(8)(x).is_contiguous(memory_format=torch.channels_last)


def test_batch_norm_out_of_training_sees_each_picture_alone():
    norm = PictureBatchNorm(4)
    init_weights(norm)
    x = torch.randn(3, 4, 5, 5)
    alone = torch.cat([F.batch_norm(one[None], None, None, norm.weight, norm.bias, True) for one in x])
    assert torch.allclose(norm.eval()(x), alone, atol=1e-5)
    norm.statistics = "running"
    assert torch.allclose(norm(x), F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias))


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (UnetGenerator(3, 3), 54_414_000),
        (UnetGenerator(3, 3, levels=7), 41_829_000),
        (ResnetGenerator(3, 3), 11_378_000),
    ],
)
def test_generators_have_the_papers_size(network, parameters):
    assert round(count(network) / 1000) * 1000 == parameters


@pytest.mark.parametrize(("layers", "side"), [(0, 1), (1, 16), (2, 34), (3, 70), (5, 286)])
def test_patch_discriminators_see_what_they_say(layers, side):
    discriminator = PatchDiscriminator(1, 1, layers, norm="none")
    for parameter in discriminator.parameters():
        nn.init.constant_(parameter, 1.0)
    x = torch.ones(1, 1, 300, 300, requires_grad=True)
    logits = discriminator(x)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    assert int((x.grad[0, 0].sum(0) != 0).sum()) == side


def test_multiscale_features_end_in_the_logits():
    discriminator = MultiscaleDiscriminator(3, (4, 4), layers=1)
    x = torch.randn(1, 3, 32, 32)
    for features, logits in zip(discriminator.features(x), discriminator(x), strict=True):
        assert torch.equal(features[-1], logits)


def test_losses_are_the_formulas():
    real, fake = torch.randn(2, 1, 3, 3), torch.randn(2, 1, 3, 3)
    lsgan = ((real - 1) ** 2).mean() + (fake**2).mean()
    vanilla = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    hinge = (1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean()
    for mode, expected in {"lsgan": lsgan, "vanilla": vanilla, "hinge": hinge}.items():
        assert torch.allclose(discriminator_loss(real, fake, mode), expected / 2, atol=1e-6)
        assert torch.allclose(discriminator_loss([real, real], [fake, fake], mode), expected / 2, atol=1e-6)
    assert torch.allclose(generator_loss(fake, "hinge"), -fake.mean())
    assert torch.allclose(generator_loss(fake, "lsgan"), ((fake - 1) ** 2).mean())
    assert torch.allclose(generator_loss(fake, "vanilla"), -fake.sigmoid().log().mean(), atol=1e-6)


def test_feature_matching_leaves_out_the_logits():
    a, b = [[torch.zeros(2), torch.zeros(3)]], [[torch.ones(2), torch.full((3,), 9.0)]]
    assert feature_matching(a, b) == 1


def test_lowpass_ignores_what_averages_out():
    checker = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(4, 4)[None, None]
    assert lowpass_l1(checker, torch.full_like(checker, 0.5), 2) == 0
    assert lowpass_l1(checker, torch.full_like(checker, 0.5), 1) == 0.5


def test_ema_follows_its_recurrence():
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 0.0)
    ema, expected = Ema(layer, 0.9), 0.0
    for update in range(1, 30):
        layer.weight.data.fill_(float(update))
        ema.update(layer)
        decay = min(0.9, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * update
    assert math.isclose(float(ema.module.weight), expected, rel_tol=1e-5)


def test_ema_restores_its_state():
    ema = Ema(nn.Linear(2, 2), 0.5)
    ema.update(nn.Linear(2, 2))
    other = Ema(nn.Linear(2, 2), 0.5)
    other.load_state_dict(ema.state_dict())
    assert other.updates == 1
    assert torch.equal(other.module.weight, ema.module.weight)


def test_seeded_dropout_gives_each_picture_its_own_mask():
    layer = PictureDropout(0.5).eval()
    x = torch.ones(2, 3, 8, 8)
    assert torch.equal(layer(x), x)
    with seeded_dropout(layer, (1, 2)):
        both = layer(x)
    with seeded_dropout(layer, (2,)):
        assert torch.equal(layer(x[:1])[0], both[1])
    assert set(both.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(both[0], both[1])
    assert torch.equal(layer(x), x)


def test_subpixel_net_is_told_its_condition():
    network = SubpixelNet(2, 3, width=8, blocks=2, detail=(4, 4), condition_channels=2)
    x = torch.randn(1, 2, 8, 12)
    day, night = network(x, torch.tensor([[1.0, 0.0]])), network(x, torch.tensor([[0.0, 1.0]]))
    assert day.shape == (1, 3, 8, 12)
    assert not torch.allclose(day, night)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_subpixel_net_sees_its_cells_alike_in_training_and_after(layout):
    network = SubpixelNet(3, 2, width=8, blocks=1, detail=(4, 4))
    x = torch.randn(2, 3, 12, 20).contiguous(memory_format=layout)
    with torch.inference_mode():
        cells = network._enter(x)
    assert torch.allclose(cells, network.enter(F.pixel_unshuffle(x, 4)), atol=1e-6)
    assert torch.allclose(network._enter(x), cells, atol=1e-6)
