"""Every layout of pytorch-CycleGAN-and-pix2pix and CUT is recognised by its tensors and computes what theirs does."""

from __future__ import annotations

import pytest
import torch

from artkit.errors import ModelError
from artkit.models.foreign import recognise, recognised_arguments
from artkit.nn import PatchDiscriminator
from artkit.spec import Recognised
from foreign_reference import (
    patch_forward,
    patch_state,
    pixel_forward,
    pixel_state,
    resnet_forward,
    resnet_state,
    unet_forward,
    unet_state,
)

NEAR = 1e-5
RESNETS = [
    {"norm": norm, "dropout": dropout, "blocks": 6}
    for norm in ("instance", "batch", "none")
    for dropout in (True, False)
] + [
    {"blocks": 9},
    {"blocks": 9, "cut": True},
    {"blocks": 6, "cut": True, "norm": "batch"},
    {"blocks": 0},
    {"blocks": 12},
]
UNETS = [{"norm": norm, "levels": levels} for norm in ("batch", "instance", "none") for levels in (7, 8)] + [
    {"levels": 5}
]
PATCHES = [{"norm": norm, "layers": layers} for norm in ("batch", "instance", "none") for layers in (1, 2, 3, 5)]
PATCHES += [{"cut": True, "norm": "instance"}, {"cut": True, "layers": 2}]
OLD = ("running_mean", "running_var", "num_batches_tracked")


def picture(side: int, channels: int = 3) -> torch.Tensor:
    return torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def network(found: Recognised) -> torch.nn.Module:
    built = PatchDiscriminator(**found.arguments) if found.network == "patch" else recognised_arguments(found).build()
    built.load_state_dict(found.tensors)
    return built.eval().requires_grad_(False)


def ids(case):
    return "-".join(f"{key}={value}" for key, value in case.items())


@pytest.mark.parametrize("case", RESNETS, ids=ids)
def test_a_resnet_is_the_same_function(case):
    state = resnet_state(**case)
    found = recognise(state)
    assert (found.role, found.network) == ("generator", f"resnet_{case['blocks']}")
    x = picture(32)
    torch.testing.assert_close(network(found)(x), resnet_forward(state, x, **case), atol=NEAR, rtol=0)


@pytest.mark.parametrize("case", UNETS, ids=ids)
def test_a_unet_is_the_same_function(case):
    state = unet_state(**case)
    found = recognise(state)
    assert (found.role, found.network) == ("generator", f"unet_{2 ** case['levels']}")
    x = picture(2 ** case["levels"])
    torch.testing.assert_close(network(found)(x), unet_forward(state, x, **case), atol=NEAR, rtol=0)


@pytest.mark.parametrize("case", PATCHES, ids=ids)
def test_a_patch_discriminator_is_the_same_function(case):
    state = patch_state(inside=6, **case)
    found = recognise(state)
    assert (found.role, found.network, found.arguments["layers"]) == ("discriminator", "patch", case.get("layers", 3))
    x = picture(128, 6)
    ours, theirs = network(found)(x), patch_forward(state, x, **case)
    torch.testing.assert_close(ours, theirs, atol=NEAR * max(1, float(theirs.abs().max())), rtol=0)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_a_pixel_discriminator_is_the_same_function(norm):
    state = pixel_state(norm)
    found = recognise(state)
    assert (found.network, found.arguments["layers"]) == ("patch", 0)
    torch.testing.assert_close(network(found)(picture(16)), pixel_forward(state, picture(16), norm), atol=NEAR, rtol=0)


@pytest.mark.parametrize(
    ("state", "count", "weights"),
    [
        (resnet_state(width=64), 48, 11_378_179),
        (resnet_state("batch", dropout=True, width=64), 140, 11_383_427),
        (resnet_state(blocks=6, width=64), 36, 7_837_699),
        (resnet_state(cut=True, width=64), 52, 11_378_179),
        (unet_state(width=16), 82, None),
        (unet_state("instance", width=16), 32, None),
        (unet_state(levels=7, width=16), 70, None),
        (patch_state(inside=6, width=64), 22, 2_768_705),
        (patch_state("instance", width=64), 10, 2_764_737),
        (patch_state("instance", width=64, cut=True), 13, 2_764_737),
        (pixel_state("instance", width=64), 6, 8_705),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_the_references_have_the_published_size(state, count, weights):
    assert len(state) == count
    if weights:
        parameters = sum(tensor.numel() for name, tensor in state.items() if not name.endswith((*OLD, "filt")))
        assert parameters == weights


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (resnet_state(width=8), "ResNet-9, 8 filters, instance norm, trained without dropout"),
        (resnet_state("none", blocks=6, dropout=True), "ResNet-6, 4 filters, no norm, trained with dropout"),
        (resnet_state(cut=True), "ResNet-9, 4 filters, instance norm, trained without dropout, anti-aliased as in CUT"),
        (
            resnet_state(inside=1, outside=2),
            "ResNet-9, 4 filters, instance norm, 1 to 2 channels, trained without dropout",
        ),
        (unet_state(), "U-Net-256, 4 filters, batch norm"),
        (patch_state(inside=6), "PatchGAN discriminator, 3 layers, 4 filters, batch norm, seeing 6 channels"),
        (pixel_state(), "pixel discriminator, 4 filters, batch norm, seeing 3 channels"),
    ],
)
def test_one_line_says_what_it_is(state, words):
    assert recognise(state).words == words


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("make", [resnet_state, unet_state, patch_state])
def test_wrappers_are_taken_off(prefix, make):
    state = make()
    found = recognise({prefix + name: tensor for name, tensor in state.items()})
    assert found.tensors.keys() == recognise(state).tensors.keys()


def test_statistics_of_old_instance_norms_are_dropped():
    state = resnet_state(blocks=6)
    old = dict(state)
    for name in [name for name in state if name.endswith("bias") and name != "model.23.bias"]:
        place, _, number = name.removesuffix(".bias").rpartition(".")
        old |= {f"{place}.{int(number) + 1}.{part}": torch.ones(len(state[name])) for part in OLD}
    assert len(old) > len(state)
    found = recognise(old)
    assert found.arguments["norm"] == "instance"
    torch.testing.assert_close(
        network(found)(picture(16)), resnet_forward(state, picture(16), blocks=6), atol=NEAR, rtol=0
    )


def test_counts_of_batches_may_be_missing():
    state = {name: tensor for name, tensor in unet_state(levels=5).items() if not name.endswith("tracked")}
    network(recognise(state))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"model.7.weight": torch.zeros(16, 9, 3, 3)},
            r"ResNet-6.*misshaped: model\.7\.weight \(16, 9, 3, 3\) for \(16, 8, 3, 3\)\.$",
        ),
        (
            {"model.4.weight": None},
            r"^no network artkit knows; the nearest is ResNet-6.*; missing: model\.4\.weight\.$",
        ),
        ({"model.40.weight": torch.zeros(3)}, r"unexpected: model\.40\.weight\.$"),
        ({"model.1.weight": torch.zeros(5, 3, 7, 7)}, r"misshaped: model\.1\.bias \(4,\) for \(5,\) and \d+ more\.$"),
    ],
)
def test_contradictions_name_the_nearest_layout(change, words):
    state = {**resnet_state(blocks=6), **change}
    with pytest.raises(ModelError, match=words) as raised:
        recognise({name: tensor for name, tensor in state.items() if tensor is not None})
    assert "\n" not in str(raised.value)


def test_much_else_beside_a_network_hides_none():
    state = patch_state("none", layers=1) | {f"unknown.{number}": torch.zeros(1) for number in range(20)}
    with pytest.raises(ModelError, match=r"nearest is PatchGAN discriminator.*; unexpected: unknown\.0 and 19 more\."):
        recognise(state)


def test_an_unknown_network_is_said_to_be_one():
    with pytest.raises(ModelError, match=r"its tensors \(the first of 2: fc\.weight \(3, 4\)\) are not named"):
        recognise({"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(3)})
    with pytest.raises(ModelError):
        recognise({})


def test_a_network_beyond_what_artkit_builds_is_recognised_and_refused():
    assert recognised_arguments(recognise(resnet_state(blocks=64))).blocks == 64
    with pytest.raises(ModelError) as caught:
        recognised_arguments(recognise(resnet_state(blocks=65)))
    assert str(caught.value) == (
        "ResNet-65, 4 filters, instance norm, trained without dropout is no network that artkit builds: "
        "Expected `int` <= 64 - at `$.blocks`."
    )
