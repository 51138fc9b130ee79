"""Losses, discriminators and conditions: each option with two values, each limit from both sides."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from artkit.errors import OptionError
from artkit.nn import (
    Conditions,
    DiscriminatorOptions,
    Ema,
    ImagePool,
    MultiscaleDiscriminator,
    PatchDiscriminator,
    contrast_l1,
    divergence_from_noise,
    generator_loss,
    is_penalty_due,
    least_side,
    lowpass_l1,
    make_discriminator,
    options_of_discriminator,
)


def test_the_loss_that_compares_needs_something_to_compare_with():
    with pytest.raises(
        ValueError, match=r"^the relativistic loss of a generator needs the logits of real pictures, too$"
    ):
        generator_loss(torch.zeros(1), "relativistic")


def test_a_contrast_is_the_log_of_the_root_mean_square_of_what_a_blur_leaves():
    """In cells of 16 px; at the border a blur averages what there is of its 9 x 9."""
    picture = torch.rand(2, 3, 20, 33, generator=torch.Generator().manual_seed(0))

    def contrast(image):
        blurred = torch.empty_like(image)
        for y, x in product(range(20), range(33)):
            blurred[..., y, x] = image[..., max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5].mean((-2, -1))
        rest = (image - blurred).square()
        cells = [
            rest[..., top : top + 16, left : left + 16].mean((-2, -1)) for top, left in product((0, 16), (0, 16, 32))
        ]
        return torch.stack(cells).add(0.01**2).sqrt().log()

    flat = torch.full_like(picture, 0.3)
    assert float(contrast_l1(flat, flat)) == 0
    expected = (contrast(picture) - contrast(flat)).abs().mean()
    torch.testing.assert_close(contrast_l1(picture, flat), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", [0, 1, 2, 3])
def test_a_low_pass_of_one_pixel_is_none(cell):
    a, b = torch.rand(2, 1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    size = max(cell, 1)
    means = [F.avg_pool2d(one, size) for one in (a, b)]
    torch.testing.assert_close(lowpass_l1(a, b, cell), (means[0] - means[1]).abs().mean())


def test_the_divergence_from_noise_is_that_of_torch():
    mean, log_variance = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(divergence_from_noise(mean, log_variance), expected)


def shape_of(discriminator):
    """Return each stage's layers: what they map to what, with which kernel, stride, padding and bias."""
    found = []
    for stage in discriminator.stages:
        conv = stage[0]
        name = type(stage[1]).__name__ if len(stage) > 1 else ""
        blur = [type(layer).__name__ for layer in stage[3:]]
        geometry = (conv.kernel_size[0], conv.stride[0], conv.padding[0])
        found.append((conv.in_channels, conv.out_channels, *geometry, conv.bias is not None, name, *blur))
    return found


def test_a_patch_discriminator_is_that_of_the_authors():
    """C64-C128-C256-C512 and a last convolution (Isola et al. 2017, 6.1.2), of 4 x 4, halving but for the last two."""
    assert shape_of(PatchDiscriminator(6)) == [
        (6, 64, 4, 2, 1, True, "Identity"),
        (64, 128, 4, 2, 1, False, "PictureBatchNorm"),
        (128, 256, 4, 2, 1, False, "PictureBatchNorm"),
        (256, 512, 4, 1, 1, False, "PictureBatchNorm"),
        (512, 1, 4, 1, 1, True, ""),
    ]
    assert all(stage[2].negative_slope == 0.2 for stage in PatchDiscriminator(6).stages[:-1])


@pytest.mark.parametrize(("norm", "biased"), [("batch", False), ("instance", True), ("none", False)])
def test_biases_are_where_the_norm_leaves_them_a_use(norm, biased):
    pixel = PatchDiscriminator(3, 4, 0, norm)
    assert [stage[0].bias is not None for stage in pixel.stages] == [True, biased, biased]
    patch = PatchDiscriminator(3, 4, 1, norm)
    assert [stage[0].bias is not None for stage in patch.stages] == [True, biased, True]
    assert [stage[:6] for stage in shape_of(pixel)] == [
        (3, 4, 1, 1, 0, True),
        (4, 8, 1, 1, 0, biased),
        (8, 1, 1, 1, 0, biased),
    ]


def test_a_discriminator_grows_eightfold_blurs_where_it_halves_and_asks_several_questions():
    filtered = shape_of(PatchDiscriminator(3, 2, 5, "instance", antialias=True, outputs=7))
    assert [row[1] for row in filtered] == [2, 4, 8, 16, 16, 16, 7]
    assert [row[3] for row in filtered] == [1] * 7
    assert [row[7:] for row in filtered] == [("BlurDown",)] * 5 + [()] * 2
    x = torch.rand(1, 3, 128, 128)
    for antialias in (False, True):
        logits = PatchDiscriminator(3, 2, 2, "none", antialias=antialias, outputs=5)(x)
        assert logits.shape[:2] == (1, 5)


@pytest.mark.parametrize("spectral", [False, True])
def test_spectral_norm_is_on_every_convolution_or_on_none(spectral):
    for discriminator in (
        PatchDiscriminator(3, 4, 1, spectral=spectral),
        make_discriminator(DiscriminatorOptions(widths=(4, 4), receptive_field=16, spectral=spectral), 3),
    ):
        convolutions = [layer for layer in discriminator.modules() if isinstance(layer, nn.Conv2d)]
        assert {hasattr(layer, "parametrizations") for layer in convolutions} == {spectral}


def test_each_scale_sees_half_of_the_one_before():
    torch.manual_seed(0)
    discriminator, x = MultiscaleDiscriminator(3, (4, 4, 6), layers=1), torch.rand(2, 3, 64, 64)
    assert len(discriminator(x)) == 3
    for index, (scale, logits) in enumerate(zip(discriminator.scales, discriminator(x), strict=True)):
        seen = F.avg_pool2d(x, 2**index)
        torch.testing.assert_close(logits, scale(seen))
    assert [len(scale.stages[0][0].weight) for scale in discriminator.scales] == [4, 4, 6]
    assert [len(scale.stages[0][0].weight) for scale in MultiscaleDiscriminator(3).scales] == [64, 64]
    assert len(MultiscaleDiscriminator(3, (2,)).scales[0].stages) == 5
    assert type(MultiscaleDiscriminator(3, (2,)).scales[0].stages[1][1]).__name__ == "InstanceNorm"


def test_a_discriminator_asks_one_question_and_blurs_nothing_unless_told():
    for made in (MultiscaleDiscriminator(3, (2,)), make_discriminator(DiscriminatorOptions(widths=(2,)), 3)):
        (logits,) = made(torch.rand(1, 3, 64, 64))
        assert logits.shape[1] == 1
        assert not any("filter" in name for name in made.state_dict())
    (logits,) = make_discriminator(DiscriminatorOptions(widths=(2,)), 3, outputs=2, antialias=True)(
        torch.rand(1, 3, 64, 64)
    )
    assert logits.shape[1] == 2


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_options_reach_the_discriminator_and_are_read_off_it(norm):
    for field, layers in ((1, 0), (16, 1), (34, 2), (70, 3), (142, 4), (286, 5)):
        options = DiscriminatorOptions(widths=(2, 3), receptive_field=field, discriminator_norm=norm)
        made = make_discriminator(options, 3, outputs=2)
        assert [len(scale.stages) for scale in made.scales] == [max(layers, 1) + 2 if layers else 3] * 2
        tensors = {f"d.{name}": tensor for name, tensor in made.state_dict().items()}
        assert options_of_discriminator(tensors, "d") == {
            "widths": [2, 3],
            "receptive_field": field,
            "discriminator_norm": norm,
            "antialias": False,
        }
        least = 3 * 2 ** (layers + 1) if layers else 2
        assert least_side(options) == least


def test_a_discriminator_of_more_layers_than_there_are_options_for_has_no_receptive_field():
    made = MultiscaleDiscriminator(3, (2,), layers=6, norm="none")
    tensors = {f"d.{name}": tensor for name, tensor in made.state_dict().items()}
    found = {"widths": [2], "discriminator_norm": "none", "antialias": False}
    assert options_of_discriminator(tensors, "d") == found


def test_an_average_is_without_gradients_at_rest_and_takes_buffers_as_they_are():
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)).train()
    ema = Ema(network, 0.5)
    assert not ema.module.training
    assert not any(weight.requires_grad for weight in ema.module.parameters())
    assert (ema.decay, ema.updates) == (0.5, 0)
    network[1].running_mean.fill_(7.0)
    before, weight = ema.module[0].weight.clone(), network[0].weight.data.fill_(3.0)
    ema.update(network)
    torch.testing.assert_close(ema.module[0].weight, before + (1 - 2 / 11) * (weight - before))
    assert ema.module[1].running_mean.item() == 7
    assert network[1].running_mean.data_ptr() != ema.module[1].running_mean.data_ptr()


def test_a_pool_of_nothing_passes_everything_and_a_pool_has_fifty_places():
    pool, fakes = ImagePool(0), torch.rand(3, 1, 2, 2, requires_grad=True)
    assert torch.equal(pool.exchange(fakes), fakes)
    assert pool.images == []
    assert not pool.exchange(fakes).requires_grad
    assert ImagePool().size == 50


@pytest.mark.parametrize(("chance", "passes"), [(0.0, True), (0.4999, True), (0.5, False), (0.9, False)])
def test_half_of_the_fakes_pass_a_full_pool(chance, passes, monkeypatch):
    pool = ImagePool(1)
    first, second = torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
    pool.exchange(first)
    monkeypatch.setattr(torch, "rand", lambda *_: torch.tensor(chance))
    assert torch.equal(pool.exchange(second), second if passes else first)
    assert torch.equal(pool.images[0], (first if passes else second)[0])


def test_a_penalty_is_due_below_its_share_of_chance(monkeypatch):
    for chance, due in ((0.0, True), (0.2499, True), (0.25, False), (0.9, False)):
        monkeypatch.setattr(torch, "rand", lambda *_, chance=chance: torch.tensor(chance))
        assert is_penalty_due(4) is due


def test_a_word_in_two_conditions_goes_to_the_first_that_has_none_yet():
    both = Conditions({"sky": ("clear", "grey"), "sea": ("grey", "blue")})
    assert dict(both.parse("grey grey", "x").words) == {"sky": "grey", "sea": "grey"}
    assert dict(both.parse("clear grey", "x").words) == {"sky": "clear", "sea": "grey"}
    assert bool(both)
    assert not Conditions({})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dust", "m(condition='dust'): this model knows no 'dust'. Did you mean 'dusk'?"),
        ("ani", "m(condition='ani'): this model knows no 'ani'. Did you mean 'any'?"),
        ("noon, dusk", "m(condition='noon, dusk'): 'dusk' and 'noon' exclude each other; name one of them."),
    ],
)
def test_words_that_will_not_do(text, sentence):
    with pytest.raises(OptionError) as caught:
        Conditions({"time": ("noon", "dusk")}).parse(text, "m")
    assert str(caught.value) == sentence
    with pytest.raises(OptionError) as caught:
        Conditions({}).parse(text, "m", "words")
    assert str(caught.value) == f"m(words={text!r}): this model takes no conditions; leave it out."
