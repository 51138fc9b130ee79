"""Typed arguments of networks: what a header records builds the same network, and a hostile header builds nothing."""

from __future__ import annotations

import msgspec
import pytest
import torch

from artkit import Chain, Kind, ModelError, ModelHeader, OptionError
from artkit.models import save_model
from artkit.nn import (
    DiscriminatorOptions,
    GanOptions,
    ResnetArguments,
    SubpixelArguments,
    UnetArguments,
    exchange_channels,
    generator_arguments,
    least_side,
    make_discriminator,
    options_of_arguments,
    options_of_discriminator,
    read_arguments,
)
from artkit_pix2pix.networks import Pix2PixArguments

SMALL = [
    UnetArguments(in_channels=3, out_channels=3, levels=5, width=4, dropout=False),
    ResnetArguments(in_channels=1, out_channels=3, blocks=2, width=4, antialias=True),
    SubpixelArguments(in_channels=5, out_channels=3, width=8, blocks=2, detail=(4, 4), condition_channels=2),
]


def header(**generator):
    return ModelHeader(
        method="pix2pix",
        architecture="unet_32",
        arguments={"generator": SMALL[0].record() | generator},
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
    )


@pytest.mark.parametrize("arguments", SMALL, ids=lambda one: one.architecture)
def test_what_a_header_records_builds_the_same_network(arguments):
    head = msgspec.structs.replace(header(), arguments={"generator": arguments.record()})
    head = msgspec.json.decode(msgspec.json.encode(head), type=ModelHeader)
    found = read_arguments(head, Pix2PixArguments).generator
    assert found == arguments
    shapes = [{name: value.shape for name, value in one.build().state_dict().items()} for one in (found, arguments)]
    assert shapes[0] == shapes[1]


HOSTILE = [
    {"width": 10**7},
    {"width": 0},
    {"levels": 10**7},
    {"levels": 1},
    {"in_channels": -1},
    {"out_channels": 10**6},
    {"norm": "group"},
    {"dropout": "yes"},
    {"width": 4.5},
    {"network": "resnet", "blocks": 10**7},
    {"network": "transformer"},
    {"layers": 3},
    {"width": 1, "levels": 40},
    {"width": 1024, "levels": 12},
    {"network": "resnet", "blocks": 64, "width": 1024},
]


@pytest.mark.parametrize("change", HOSTILE, ids=str)
def test_a_header_out_of_bounds_builds_nothing(change, monkeypatch):
    def build(self):
        raise AssertionError("it was built")

    for kind in (UnetArguments, ResnetArguments, SubpixelArguments):
        monkeypatch.setattr(kind, "build", build)
    with pytest.raises(ModelError, match="describes no networks"):
        read_arguments(header(**change), Pix2PixArguments)


@pytest.mark.parametrize("arguments", [{}, {"generator": 3}, {"generator": {}, "noise": "white"}])
def test_arguments_of_another_form_are_refused(arguments):
    with pytest.raises(ModelError, match="describes no networks"):
        read_arguments(msgspec.structs.replace(header(), arguments=arguments), Pix2PixArguments)


def test_the_error_names_the_file_and_what_is_wrong(tmp_path):
    path = tmp_path / "evil.safetensors"
    save_model(path, header(width=10**7), {"generator.weight": torch.zeros(1)})
    with pytest.raises(ModelError, match=r"evil\.safetensors: .*generator\.width") as caught:
        Chain(f"pix2pix(model={str(path)!r})")(torch.rand(3, 32, 32))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("unet_128", {"width": 8, "norm": "instance", "dropout": True}),
        ("resnet_6", {"width": 8, "antialias": True}),
        ("resnet_9", {"width": 8, "upsample": "resize"}),
        ("subpixel", {"width": 8, "blocks": 3, "detail": (8, 4), "upsample": "shuffle", "norm": "none"}),
    ],
)
def test_options_make_arguments_and_these_the_options_again(network, options):
    arguments = generator_arguments(network, GanOptions(**options), 4, 3)
    assert arguments.architecture == network
    assert (arguments.in_channels, arguments.out_channels) == (4, 3)
    found = options_of_arguments(arguments, GanOptions)
    again = generator_arguments(network, msgspec.convert(found, GanOptions), 4, 3)
    assert again == arguments
    assert options.items() <= found.items()


def test_options_that_a_network_does_not_have_are_refused():
    with pytest.raises(OptionError, match="unet_256 takes no conditions; use network=subpixel"):
        generator_arguments("unet_256", GanOptions(), 3, 3, condition_channels=2)
    with pytest.raises(OptionError, match="resnet_9 has upsample=transposed or resize, not shuffle"):
        generator_arguments("resnet_9", GanOptions(upsample="shuffle"), 3, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        UnetArguments(in_channels=3, out_channels=3),
        ResnetArguments(in_channels=3, out_channels=3),
        SubpixelArguments(in_channels=3, out_channels=3),
    ],
    ids=lambda one: one.architecture,
)
def test_weights_are_counted_about_right(arguments):
    counted = sum(parameter.numel() for parameter in arguments.build().parameters())
    assert arguments.weights == pytest.approx(counted, rel=0.25)


def test_a_network_beyond_all_sizes_is_an_option_error():
    with pytest.raises(OptionError, match=r"unet_256 of width=1024: a network of about .* weights is larger than any"):
        generator_arguments("unet_256", GanOptions(width=1024), 3, 3)


def test_a_network_that_goes_back_has_its_channels_exchanged_and_nothing_else():
    back = exchange_channels(SMALL[1])
    assert (back.in_channels, back.out_channels) == (3, 1)
    assert exchange_channels(back) == SMALL[1]


@pytest.mark.parametrize(
    ("options", "antialias"),
    [
        (DiscriminatorOptions(widths=(4, 6), receptive_field=16), False),
        (DiscriminatorOptions(widths=(4,), receptive_field=70, discriminator_norm="batch"), True),
        (DiscriminatorOptions(widths=(4,), receptive_field=1, discriminator_norm="none"), False),
    ],
)
def test_discriminator_options_are_read_off_its_tensors(options, antialias):
    discriminator = make_discriminator(options, 3, antialias=antialias)
    tensors = {f"discriminator.{name}": tensor for name, tensor in discriminator.state_dict().items()}
    found = options_of_discriminator(tensors, "discriminator")
    assert found.pop("antialias") == antialias
    assert msgspec.convert(found, DiscriminatorOptions) == options
    assert options_of_discriminator(tensors, "other") == {}


@pytest.mark.parametrize("receptive_field", [1, 16, 34, 70])
@pytest.mark.parametrize("scales", [1, 2])
def test_the_least_side_is_the_least_that_has_a_logit(receptive_field, scales):
    options = DiscriminatorOptions(widths=(2,) * scales, receptive_field=receptive_field, discriminator_norm="none")
    discriminator, side = make_discriminator(options, 1), least_side(options)
    assert all(scale.numel() for scale in discriminator(torch.zeros(1, 1, side, side)))
    with pytest.raises(RuntimeError, match=r"Kernel size|output size|too small|Calculated"):
        discriminator(torch.zeros(1, 1, side - 1, side - 1))
