"""cyclegan models: both directions of one file, one-way files, styles, channels, strokes, any size."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from artkit import Chain, Kind, ModelError, ModelHeader, OptionError
from artkit.models.file import load_model, save_model
from artkit.nn import ResnetGenerator, SubpixelNet, fix_tiles, read_arguments
from artkit.testing import check_spec
from artkit_cyclegan import AB, BA, SPEC, CycleGANOptions
from artkit_cyclegan.inversion import luminance_correlation
from artkit_cyclegan.networks import (
    BLUR,
    CENTRE_CHANNELS,
    MOST_ADDED,
    NOISE_CHANNELS,
    STROKES,
    CycleGANArguments,
    Painter,
    PainterArguments,
    lay_strokes,
    take,
)
from artkit_cyclegan.translator import CycleGAN

BOTH = [AB, BA]
TINY = {
    "subpixel": {"width": 8, "blocks": 2, "detail": (4, 4), "norm": "none", "upsample": "resize"},
    "painter": {"width": 8, "blocks": 2, "detail": (4, 4), "norm": "none", "upsample": "resize"},
    "resnet_6": {"blocks": 6, "width": 4, "norm": "instance"},
    "unet_128": {"levels": 7, "width": 4, "norm": "batch", "dropout": True},
}
STYLES = ("broken", "swirl")


def header(architecture="subpixel", directions=BOTH, styles=(), channels=(3, 3)):
    network = architecture.partition("_")[0]
    arguments = {"network": network, "in_channels": channels[0], "out_channels": channels[1]}
    arguments |= TINY[architecture] | ({"condition_channels": len(styles)} if styles else {})
    return ModelHeader(
        method="cyclegan",
        architecture=architecture,
        arguments={"generator": arguments, "directions": list(directions)},
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        conditions={"style": styles} if styles else {},
        size_multiple=128 if architecture == "unet_128" else 4,
    )


def translator(head, **options):
    torch.manual_seed(0)
    return CycleGAN(CycleGANOptions(**options), head).eval()


def run(model, image, seed=0, facts=()):
    return model.run({"image": image}, seeds=(seed,), size=tuple(image.shape[-2:]), facts=facts)


def save(path, head, **more):
    torch.manual_seed(0)
    generators = read_arguments(head, CycleGANArguments).build()
    tensors = {f"{name}.{key}": v for name, network in generators.items() for key, v in network.state_dict().items()}
    save_model(path, head, tensors | more)
    return str(path)


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)


@pytest.mark.parametrize("architecture", TINY)
@pytest.mark.parametrize("direction", BOTH)
def test_each_direction_runs_its_own_generator(architecture, direction):
    model = translator(header(architecture), direction=direction)
    image = torch.rand(1, 3, 20, 28)
    output = run(model, image)
    assert output.shape == image.shape
    names = {name.split(".")[0] for name in model.state_dict()}
    assert names == {"generator_a" if direction == AB else "generator_b"}


@pytest.mark.parametrize("architecture", ["subpixel", "painter"])
def test_a_batch_equals_its_pictures_one_by_one(architecture):
    model = translator(header(architecture, styles=STYLES), condition="any")
    image = torch.rand(2, 3, 13, 18)
    both = model.run({"image": image}, seeds=(3, 4), size=(13, 18))
    for index, seed in enumerate((3, 4)):
        assert torch.allclose(run(model, image[index : index + 1], seed)[0], both[index], atol=1e-5)


def test_strokes_follow_the_seed_on_the_way_to_the_painting_alone():
    image = torch.rand(1, 3, 16, 16)
    forth, back = (translator(header("painter"), direction=direction) for direction in BOTH)
    assert torch.equal(run(forth, image, 1), run(forth, image, 1))
    assert not torch.equal(run(forth, image, 1), run(forth, image, 2))
    assert torch.equal(run(back, image, 1), run(back, image, 2))


def test_the_style_is_said_known_or_the_first():
    head, image = header(styles=STYLES), torch.rand(1, 3, 16, 16)
    broken, swirl = (run(translator(head, condition=style), image) for style in STYLES)
    assert not torch.equal(broken, swirl)
    assert torch.equal(run(translator(head), image), broken)
    assert torch.equal(run(translator(head), image, facts=({"style": "swirl"},)), swirl)
    assert torch.equal(run(translator(head), image, facts=({"style": "cubist"},)), broken)
    drawn = {run(translator(head, condition="any"), image, seed).sum().item() for seed in range(20)}
    assert drawn == {broken.sum().item(), swirl.sum().item()}


@pytest.mark.parametrize(("styles", "words"), [(STYLES, "did you mean 'swirl'|'swirl'"), ((), "no conditions")])
def test_an_unknown_style_is_refused(styles, words):
    with pytest.raises(OptionError, match=words):
        translator(header(styles=styles), condition="swril")


@pytest.mark.parametrize("styles", [(), STYLES])
def test_a_model_whose_words_its_network_does_not_take_is_refused(styles):
    head = msgspec.structs.replace(header(styles=styles), conditions={"style": (*STYLES, "swell")})
    with pytest.raises(ModelError, match=f"knows 3 words, and its network takes {len(styles)}: export it again"):
        translator(head)
    assert run(translator(head, direction=BA), torch.rand(1, 3, 8, 8)).shape == (1, 3, 8, 8)  # it takes no words


@pytest.mark.parametrize(("there", "asked"), [(AB, BA), (BA, AB)])
def test_a_one_way_model_says_which_way_it_goes(there, asked):
    with pytest.raises(OptionError, match=f"this model goes {there} alone"):
        translator(header(directions=[there]), direction=asked)
    assert run(translator(header(directions=[there]), direction=there), torch.rand(1, 3, 8, 8)).shape == (1, 3, 8, 8)


@pytest.mark.parametrize("direction", BOTH)
def test_grey_domains_go_in_and_come_out_as_pictures(direction):
    image = torch.rand(1, 3, 16, 16)
    output = run(translator(header("resnet_6", channels=(1, 3)), direction=direction), image)
    assert output.shape == image.shape
    assert torch.equal(output[:, :1].expand(-1, 3, -1, -1), output) == (direction == BA)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (33, 5)])
def test_any_size_goes_through_a_round_trip(tmp_path, size):
    path = save(tmp_path / "model.safetensors", header("painter"))
    chain = Chain(f"cyclegan(model={path!r}),cyclegan(model={path!r},direction=BtoA)")
    assert chain(Image.new("RGB", size, (200, 30, 90))).size == size[::-1]


def test_discriminators_in_a_file_do_not_disturb(tmp_path):
    path = save(tmp_path / "m.safetensors", header(), **{"discriminator_a.stages.0.weight": torch.rand(2)})
    assert "discriminator_a.stages.0.weight" in load_model(path).tensors
    assert Chain(f"cyclegan(model={path!r})")(np.zeros((9, 11, 3), np.uint8)).size == (9, 11)


def test_dropout_is_off_unless_asked_and_then_follows_the_seed():
    head, image = header("unet_128"), torch.rand(1, 3, 40, 52)
    still, lively = translator(head), translator(head, stochastic=True)
    assert torch.equal(*(run(still, image, seed) for seed in (1, 2)))
    one, again, two = (run(lively, image, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, two)


def test_luminance_correlation_tells_a_negative():
    image = torch.rand(3, 3, 8, 8)
    assert luminance_correlation(image, 0.5 * image + 0.2) == pytest.approx(1, abs=1e-4)
    assert luminance_correlation(image, 1 - image) == pytest.approx(-1, abs=1e-4)
    assert luminance_correlation(image, torch.full_like(image, 0.5)) == pytest.approx(0, abs=1e-2)


def test_resize_upsampling_leaves_no_checkerboard():
    torch.manual_seed(0)
    flat = torch.full((1, 3, 96, 96), 0.3)
    rough = {}
    for upsample in ("transposed", "resize"):
        network = ResnetGenerator(3, 3, blocks=1, width=4, norm="none", upsample=upsample).eval()
        with torch.no_grad():
            rough[upsample] = network(flat)[..., 44:52, 44:52].std((-2, -1)).max().item()
    assert rough["resize"] < 1e-6 < 1e-4 < rough["transposed"]


def test_a_residual_network_adds_to_its_picture():
    network = SubpixelNet(5, 3, width=8, blocks=1, detail=(4, 4), norm="none", residual=True)
    with torch.no_grad():
        network.leave.weight.zero_()
        network.leave.bias.fill_(0.25)
        x = torch.rand(1, 5, 8, 8)
        assert torch.allclose(network(x), x[:, :3] + 0.25)


def test_paint_is_taken_where_the_offset_points():
    colours = torch.arange(12.0).view(1, 1, 3, 4)
    right, down = torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)
    right[:, 1], down[:, 0] = 1, -5
    assert take(colours, right)[0, 0].tolist() == [[1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]
    assert take(colours, down)[0, 0].tolist() == [[0, 1, 2, 3]] * 3


def test_a_painter_shows_its_canvases_in_shares_and_adds_to_them():
    network = PainterArguments(in_channels=3, out_channels=3, width=8, blocks=1, detail=(4, 4)).build()
    layers = len(STROKES)
    answer, seen = torch.randn(2, layers + 3, 5, 6), torch.randn(2, 3 * (1 + layers) + NOISE_CHANNELS, 5, 6)
    shares = answer[:, :layers].exp() / answer[:, :layers].exp().sum(1, keepdim=True)
    canvases = seen[:, 3 : 3 + 3 * layers].unflatten(1, (layers, 3))
    expected = (shares[:, :, None] * canvases).sum(1) + MOST_ADDED * answer[:, layers:].tanh()
    assert torch.allclose(network._paint(answer, seen), expected, atol=1e-6)


def test_a_painter_sees_the_picture_a_canvas_of_each_layer_and_the_strokes():
    network = PainterArguments(in_channels=3, out_channels=3, width=8, blocks=1, detail=(4, 4)).build()
    picture, z = torch.rand(1, 3, 20, 24), lay_strokes(20, 24, 3)[None]
    seen = network._look(torch.cat([picture, z], 1))
    inside = F.avg_pool2d(picture, BLUR, 1, BLUR // 2, count_include_pad=False)
    canvases = [take(inside, z[:, NOISE_CHANNELS + 2 * layer :][:, :2]) for layer in range(len(STROKES))]
    assert torch.allclose(seen, torch.cat([picture, *canvases, z[:, :NOISE_CHANNELS]], 1))


def test_strokes_come_with_their_centres():
    z = lay_strokes(40, 50, 3)
    assert z.shape == (NOISE_CHANNELS + CENTRE_CHANNELS, 40, 50)
    assert torch.equal(z, lay_strokes(40, 50, 3))
    for number, layer in enumerate(STROKES):
        away = z[NOISE_CHANNELS + 2 * number :][:2]
        assert 1 < away.norm(dim=0).max() <= max(shape.reach for shape in STROKES[: number + 1])
        # All pixels of a stroke have the same centre, so there are far fewer centres than pixels.
        here = torch.stack(torch.meshgrid(torch.arange(40), torch.arange(50), indexing="ij"))
        centres = {tuple(centre) for centre in (away + here).flatten(1).mul(8).round().T.tolist()}
        assert len(centres) < 4 * 40 * 50 / layer.cell**2 + 200


def test_a_painter_keeps_an_even_colour_but_for_what_it_adds():
    painter = Painter(3, 3, width=8, blocks=1, detail=(4, 4), norm="none", upsample="resize")
    with torch.no_grad():
        painter.net.leave.weight[-3:] = 0
        painter.net.leave.bias[-3:] = 0.125
        even = torch.tensor([0.5, -0.25, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
        painted = painter(torch.cat([even, lay_strokes(16, 16, 0)[None]], 1))
    assert torch.allclose(painted, even + MOST_ADDED * math.tanh(0.125), atol=1e-5)


def test_a_painter_in_tiles_takes_the_same_colours():
    torch.manual_seed(0)
    painter = Painter(3, 3, width=4, blocks=1, detail=(4, 4), norm="none").requires_grad_(False)
    noise = lay_strokes(96, 120, 1).bfloat16().float()  # coarse arithmetic: many places lie halfway between pixels
    x = torch.cat([torch.rand(1, 3, 96, 120), noise[None]], 1)
    with fix_tiles(27):
        tiled = painter(x)
    assert torch.allclose(tiled, painter(x), atol=1e-5)
