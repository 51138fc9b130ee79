"""funit: its networks by their formulas, the mean over the style pictures, and the steps of a chain."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import artkit
from artkit import ChainError, OptionError
from artkit.chain.planning import plan_chain
from artkit.engine.loading import load_translator
from artkit.models.file import load_model
from artkit.nn.moments import MomentsEncoder
from artkit.plugins import load_registry
from artkit.testing import check_method
from artkit.training import train
from artkit.training.loop import Loop
from artkit_funit.networks import Generator, GeneratorArguments
from funit_kit import CLASSES, OF, PAIRED, SMALL, make, save

REGISTRY = load_registry()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    trainer = make()
    trainer.work_out_start()
    for layer in (trainer.generator.leave, trainer.generator.colour):  # as if trained: strokes and look show
        torch.nn.init.normal_(layer.weight, std=0.2)
    return save(trainer, tmp_path_factory.mktemp("funit") / "small.safetensors")


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """A photo of an odd size, and three pictures of other sizes."""
    monkeypatch.chdir(tmp_path)
    chance = np.random.default_rng(0)
    for name, size, tint in (
        ("photo", (33, 47), 1.0),
        ("a", (40, 24), 0.3),
        ("b", (5, 70), 0.9),
        ("c", (600, 300), 0.6),
    ):
        pixels = chance.integers(0, 256, (*size, 3)) * np.array([tint, 1 - tint / 2, 0.5])
        Image.fromarray(pixels.astype(np.uint8)).save(f"{name}.png")
    return ["a.png", "b.png", "c.png"]


def run(model, style, options=""):
    return artkit.Chain(f"funit(model='{model}'{options})")("photo.png", seed=3, style=style).tensor


def generator(**changes):
    torch.manual_seed(0)
    made = GeneratorArguments(**({"width": 8, "blocks": 2, "detail": (6, 5), "code": 4} | changes)).build()
    for layer in (made.leave, made.colour):
        torch.nn.init.normal_(layer.weight, std=0.3)
    return made.eval()


def test_before_anything_is_learned_it_shows_the_contents_own_colours():
    made = GeneratorArguments(noise="none", width=8, code=4).build()
    x, w = torch.rand(2, 3, 16, 20) * 2 - 1, torch.randn(2, 4)
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, unbiased=False)
    torch.testing.assert_close(made(x, None, w), 0.4 * (x - mean) / (variance + 0.01).sqrt())


def test_colours_are_an_affine_map_and_details_a_share_that_the_code_fills():
    made, x, w = generator(), torch.randn(2, 3, 8, 9), torch.randn(2, 4)
    filled, ones = w @ made.colour.weight.T + made.colour.bias, torch.ones(3, 1, 7, 7)
    summed, count = (F.conv2d(of, ones, padding=3, groups=3) for of in (x, torch.ones_like(x)))
    soft = summed / count
    for row in range(2):
        matrix, detail, level = filled[row, :9].view(3, 3), filled[row, 9], filled[row, 10:]
        expected = torch.einsum("ij,jhw->ihw", matrix, soft[row]) + level[:, None, None] + detail * (x - soft)[row]
        torch.testing.assert_close(made.paint_colours(x, w)[row], expected)


def test_the_contents_own_light_is_not_seen():
    made, z, w = generator(), torch.rand(1, 11, 16, 16), torch.randn(1, 4)
    x = torch.rand(1, 3, 16, 16) * 40 - 20  # so strong that a variance of 0.01 more is nothing
    tinted = x * torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1) + torch.tensor([3.0, -2.0, 0.5]).view(3, 1, 1)
    torch.testing.assert_close(made(tinted, z, w), made(x, z, w), atol=1e-3, rtol=1e-3)


def test_the_generator_is_the_papers_way_of_normalising_each_block_by_the_code():
    """AdaIN (eq. 1 of the appendix): instance norm, then a scale and a shift of the code's."""
    made = Generator(0, 4, 1, 1, (4, 4), 3)
    block, y, w = made.blocks[0], torch.randn(1, 4, 6, 6), torch.randn(1, 3)
    normal = (y - y.mean((2, 3), keepdim=True)) / (y.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    scale, shift = (w @ block.film.weight.T + block.film.bias).view(2, 4, 1, 1)
    inner = block.conv1(F.relu(normal * (1 + scale) + shift))
    inner = (inner - inner.mean((2, 3), keepdim=True)) / (inner.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(block(y, w), y + block.conv2(F.relu(inner)), rtol=1e-3, atol=1e-4)


def test_it_keeps_the_contract(model, tmp_path):
    check_method("funit", REGISTRY, model=model, sizes=((1, 1), (17, 33)))
    check_method("funit", REGISTRY, model=model, options={"working_size": 16, "strength": 0.5}, sizes=((40, 24),))
    bare = save(make(noise="none"), tmp_path / "bare.safetensors")
    check_method("funit", REGISTRY, model=bare, sizes=((1, 7),))


def test_the_code_is_the_mean_over_the_pictures_whatever_their_order(model, shown):
    made = load(model)
    pictures = [torch.rand(2, 3, 40, 24), torch.rand(2, 3, 16, 70), torch.rand(2, 3, 400, 30)]
    codes = torch.stack([made.encoder(fit(picture)) for picture in pictures])
    expected = F.normalize(codes.mean(0), dim=1) * 6**0.5
    torch.testing.assert_close(made._find_code(pictures[0], pictures), expected)
    one, turned = run(model, shown), run(model, shown[::-1])
    torch.testing.assert_close(one, turned, atol=1e-5, rtol=0)
    thrice, once = run(model, [shown[0]] * 3), run(model, shown[:1])
    torch.testing.assert_close(thrice, once, atol=1e-5, rtol=0)
    assert (one - once).abs().mean() > 1e-3
    assert one.shape == (1, 3, 33, 47)


def test_codes_are_computed_in_full_precision_whatever_the_networks_are_in():
    torch.manual_seed(0)
    encoder, picture = MomentsEncoder(4, 6), torch.rand(2, 3, 32, 40) * 2 - 1
    expected = encoder.moments(picture) @ encoder.project.T + encoder.refine[-1].bias  # whose weights are zero yet
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(encoder(picture), F.normalize(expected, dim=1) * 6**0.5)


def fit(picture):
    """Pictures as the class encoder sees them: 384 px at most, 32 at least."""
    height, width = picture.shape[-2:]
    if max(height, width) > 384:
        from artkit.images import resize_image

        picture = resize_image(picture, (384, round(width * 384 / height))).clamp(0, 1)
        height, width = picture.shape[-2:]
    return F.interpolate(picture, (max(height, 32), max(width, 32)), mode="nearest") * 2 - 1


def test_strength_goes_from_the_pictures_own_look_to_the_other(model, shown):
    Image.open("photo.png").crop((0, 0, 44, 32)).save("photo.png")  # sides that need no padding
    whole, none, own = run(model, shown), run(model, shown, ",strength=0"), run(model, "photo.png")
    half = run(model, shown, ",strength=0.5")
    assert (whole - none).abs().mean() > 1e-3
    torch.testing.assert_close(none, own, atol=1e-5, rtol=0)
    assert 0 < (half - none).abs().mean() < (whole - none).abs().mean()


def test_large_pictures_are_shrunk_to_512_pixels_unless_asked(model, shown):
    Image.open("photo.png").resize((1024, 8)).save("photo.png")
    first, asked, whole = (run(model, "a.png", options) for options in ("", ",working_size=512", ",working_size=0"))
    assert torch.equal(first, asked)
    assert not torch.equal(first, whole)


def test_the_seed_lays_the_strokes(model, shown):
    chain = artkit.Chain(f"funit(model='{model}')")
    first, again, other = (chain("photo.png", seed=seed, style=shown).tensor for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_chain_may_show_the_style(model, shown):
    nested = artkit.Chain(f"funit(model='{model}',style=[can(seed=3)])")("photo.png", seed=3).tensor
    assert nested.shape == (1, 3, 33, 47)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ([], "takes 1 to 20 pictures, and none is given"),
        (["a.png"] * 100, "takes 1 to 20 pictures, and 100 are given"),
        (["a.png", "gone.png"], "gone.png does not exist"),
        (None, "needs its port 'style'"),
    ],
)
def test_style_pictures_that_do_not_fit_are_told(model, shown, style, message):
    with pytest.raises(ChainError, match=message):
        artkit.Chain(f"funit(model='{model}')")("photo.png", **({} if style is None else {"style": style}))


def test_what_is_no_picture_is_told(model, shown, tmp_path):
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(artkit.ImageError, match=r"words\.png"):
        run(model, ["a.png", "words.png"])
    with pytest.raises(OptionError, match="strength"):
        run(model, shown, ",strength=2")


def load(model, options=""):
    plan = plan_chain(
        artkit.Chain(f"funit(model='{model}'{options})"), REGISTRY, has_input=True, ports={"style": [...]}
    )
    return load_translator(plan.steps[0], REGISTRY, torch.device("cpu"), "fp32")


@pytest.mark.parametrize("text", [PAIRED, CLASSES], ids=["paired", "paper"])
def test_stopping_and_resuming_changes_nothing(tmp_path, text, monkeypatch):
    values = SMALL | OF[text] | {"batch": 2, "crop": 32, "precision": "fp32", "steps": 3, "sample_every": 3}
    whole = train("funit", text, tmp_path / "whole", values=values)
    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        self._stop = self.step == 1
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        train("funit", text, tmp_path / "half", values=values)
    monkeypatch.undo()
    half = train("funit", text, tmp_path / "half", values=values, resume=True)
    assert half.read_bytes() == whole.read_bytes()
    assert {name.split(".")[0] for name in load_model(whole).tensors} == {"generator", "encoder"}


def test_data_without_classes_are_told():
    with pytest.raises(OptionError) as caught:
        make(classes=("seed",))
    assert str(caught.value) == (
        "training funit: landscapes does not say in column 'seed' which of two or more classes each picture has: "
        "put the pictures of each class into a folder of its own."
    )
    with pytest.raises(OptionError, match="crop=32 does not fit the networks"):
        make(widths=(8,) * 4)
    assert (make().content, make().picture, make().partner) == ("content", "painting", "partner")
    plain = make(CLASSES)
    assert (plain.content, plain.picture, plain.partner) == ("image", "image", "image")
    assert list(plain.classes.known) == ["class"]


@pytest.mark.parametrize("field", ["width", "blocks", "encoder_blocks", "code", "class_width"])
def test_no_header_asks_for_networks_beyond_all_sizes(field):
    for value in (0, 10**6):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"network": "funit", field: value}, GeneratorArguments)
