"""superres: sizes, tiles, alpha and depth; the networks' receptive field; the scores of luma."""

from __future__ import annotations

from typing import get_args

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from skimage.metrics import peak_signal_noise_ratio

from artkit import Chain, Kind, ModelError, ModelHeader, OptionError
from artkit.errors import DataError, UsageError
from artkit.models import save_model
from artkit.nn import enlarge_bicubic
from artkit.plugins import current_registry
from artkit.testing import check_spec
from artkit_superres import SPEC, SuperresOptions
from artkit_superres.metrics import luma, psnr_y, ssim_y
from artkit_superres.networks import Architecture, Eightfold, SuperresArguments, network_arguments
from artkit_superres.translator import Superres

ARCHITECTURES = get_args(Architecture)


def awake(made: torch.nn.Module) -> torch.nn.Module:
    """Give every layer random weights that matter."""
    generator = torch.Generator().manual_seed(0)
    for layer in made.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.normal_(layer.weight, 0, 0.15, generator)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.running_mean, 0, 0.2, generator)
    return made.eval().requires_grad_(False)


def network(architecture: str, scale: int = 2, blocks: int = 1) -> torch.nn.Module:
    return awake(network_arguments(architecture, scale, 6, blocks).build())


def translator(architecture: str = "edsr", scales: tuple[int, ...] = (2, 4), **options: object) -> Superres:
    arguments = SuperresArguments(networks=tuple(network_arguments(architecture, scale, 6, 1) for scale in scales))
    header = ModelHeader(
        method="superres",
        architecture=architecture,
        arguments=arguments.record(),
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        size_multiple=arguments.size_multiple,
    )
    torch.manual_seed(0)
    return awake(Superres(SuperresOptions(**options), header))


@pytest.fixture
def model(tmp_path):
    """A model file of random weights for 2 and 4 times."""
    made = translator()
    path = tmp_path / "model.safetensors"
    save_model(path, made.header, made.state_dict())
    return path


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@settings(max_examples=12)
@given(height=st.integers(1, 9), width=st.integers(1, 9), scale=st.sampled_from([2, 4]))
def test_output_is_the_input_times_the_scale(architecture, height, width, scale):
    made = translator(architecture, (scale,))
    output = made.run({"image": torch.rand(1, 3, height, width)}, seeds=(0,), size=(height, width))
    assert output.shape == (1, 3, scale * height, scale * width)


def test_untrained_edsr_is_bicubic_and_keeps_flat_pictures_flat():
    image = torch.rand(1, 3, 7, 9)
    fresh = network_arguments("edsr", 4, 8, 2).build()
    assert torch.equal(fresh(image), enlarge_bicubic(image, 4))
    assert torch.allclose(fresh(torch.full((1, 3, 5, 5), 0.3)), torch.tensor(0.3), atol=1e-6)


@pytest.mark.parametrize("architecture", ["edsr", "srresnet"])
@pytest.mark.parametrize("scale", [2, 4])
def test_halo_is_the_receptive_field_of_an_output_pixel(architecture, scale):
    made = network(architecture, scale).double()
    side = 2 * made.halo + 9 - made.halo % 2
    middle = side // 2 // 4 * 4
    picture = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    cell = slice(scale * middle, scale * (middle + 1))
    made(picture)[..., cell, cell].sum().backward()
    rows = picture.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    reach = max(middle - int(rows.min()), int(rows.max()) - middle)
    assert reach <= made.halo
    assert reach >= 0.6 * made.halo


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tile_is_an_option_that_changes_nothing(architecture):
    image = torch.rand(1, 3, 33, 21)
    whole, tiled = (
        translator(architecture, (2,), tile=tile).run({"image": image}, seeds=(0,), size=(33, 21)) for tile in (0, 7)
    )
    assert torch.allclose(whole, tiled, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_best_quality_does_not_mind_how_a_picture_lies(architecture):
    def enlarge(image: torch.Tensor, quality: str) -> torch.Tensor:
        made = translator(architecture, (2,), quality=quality)
        return made.run({"image": image}, seeds=(0,), size=tuple(image.shape[2:]))

    image = torch.rand(1, 3, 10, 14)
    for turns, mirror in ((1, False), (2, True), (3, False)):
        turned = image.rot90(turns, (2, 3)).flip([3] if mirror else [])
        back = {quality: enlarge(turned, quality).flip([3] if mirror else []) for quality in ("normal", "best")}
        back = {quality: y.rot90(-turns, (2, 3)) for quality, y in back.items()}
        torch.testing.assert_close(back["best"], enlarge(image, "best"), rtol=0, atol=1e-5)
        assert (back["normal"] - enlarge(image, "normal")).abs().max() > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_best_quality_is_the_mean_of_the_eight_ways_a_picture_can_lie(architecture):
    made, image = network(architecture), torch.rand(1, 3, 8, 12)
    ways = [
        made(image.rot90(turns, (2, 3)).flip(axes)).flip(axes).rot90(-turns, (2, 3))
        for turns in range(4) for axes in ([], [3])
    ]  # fmt: skip
    torch.testing.assert_close(Eightfold(made)(image), torch.stack(ways).mean(0), rtol=0, atol=1e-5)


def test_scale_is_one_the_model_has():
    assert translator().scale == 2
    assert translator(scale=4).scale == 4
    assert translator(scales=(4,)).scale == 4
    with pytest.raises(OptionError, match=r"scale=3\): this model has scale=2 or scale=4\."):
        translator(scale=3)


def test_alpha_and_16_bit_are_kept(model):
    levels = np.random.default_rng(0).integers(0, 65536, (6, 5, 4), dtype=np.uint16)
    out = Chain(f"superres(model={str(model)!r}, scale=4)")(levels)
    assert (out.size, out.bits) == ((24, 20), 16)
    assert out.alpha.shape == (1, 1, 24, 20)


def test_fine_steps_of_colour_survive_coarse_arithmetic():
    made = translator()
    for parameter in made.x2.leave.parameters():
        parameter.zero_()
    ramp = torch.linspace(0.7, 0.7 + 63 / 65535, 64).expand(1, 3, 8, 64)
    output = made.to(torch.bfloat16).run({"image": ramp}, seeds=(0,), size=(8, 64), dtype=torch.bfloat16)
    assert torch.allclose(output, enlarge_bicubic(ramp, 2), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_flat_and_tiny_pictures_go_through(model, value):
    for size in ((1, 1), (1, 40), (40, 1)):
        out = Chain(f"superres(model={str(model)!r})")(np.full((*size, 3), value, np.float32))
        assert out.size == (2 * size[0], 2 * size[1])


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ([], "length >= 1"),
        ([{"network": "edsr", "scale": 2, "width": 6, "blocks": 1000}], "blocks"),
        ([{"network": "edsr", "scale": 2}, {"network": "edsr", "scale": 2}], "2 networks have scale 2"),
        ([{"network": "rrdb", "doublings": 1, "unshuffle": 4}], "unshuffle of 4"),
        ([{"network": "vdsr", "scale": 2}], "vdsr"),
    ],
)
def test_a_header_is_checked_before_anything_is_built(networks, message):
    header = msgspec.structs.replace(translator().header, arguments={"networks": networks})
    with pytest.raises(ModelError, match=message):
        Superres(SuperresOptions(), header)


def test_wrong_scale_is_one_line(model):
    with pytest.raises(UsageError, match="scale"):
        Chain(f"superres(model={str(model)!r}, scale=-1)")(np.zeros((4, 4, 3), np.uint8))


def test_luma_is_that_of_bt601():
    assert luma(torch.ones(3, 1, 1)).item() == pytest.approx(235)
    assert luma(torch.zeros(3, 1, 1)).item() == pytest.approx(16)
    red = torch.tensor([1.0, 0, 0])[:, None, None]
    assert luma(red).item() == pytest.approx(81.481)


def test_scores_follow_the_protocol():
    one, other = (torch.rand(3, 30, 28, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    planes = [luma(image)[4:-4, 4:-4].numpy() for image in (one, other)]
    assert psnr_y([one], [other]) == pytest.approx(peak_signal_noise_ratio(*planes, data_range=255), abs=1e-6)
    assert ssim_y([one], [one]) == pytest.approx(1)
    assert ssim_y([one], [other]) < 0.3
    framed = other.clone()
    framed[:, :4] = one[:, :4]
    assert psnr_y([one], [framed]) == psnr_y([one], [other])
    whole = (one * 255).round() / 255
    assert psnr_y([whole], [whole + 0.001]) == float("inf")


def test_scores_need_more_than_the_border():
    with pytest.raises(DataError, match="larger than 8"):
        psnr_y([torch.rand(3, 8, 20)], [torch.rand(3, 8, 20)])


def test_scores_are_registered():
    assert {"psnr_y", "ssim_y"} <= set(current_registry().metrics)
