"""What filters need of the core: steps that carry any picture, change its size, and reach the chain's own input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, Kind, MethodSpec, PluginError, Port, SizeRule, Translator, hookimpl
from artkit.chain import plan_chain
from artkit.cli import main
from artkit.plugins import PluginSource, current_registry, load_registry, use_registry
from artkit.testing import check_method

IMAGE = Port("image", Kind.IMAGE, "a picture")
PICTURE = Port("picture", Kind.PICTURE, "any picture")


def make_spec(translator, ports=(IMAGE,), output=Kind.IMAGE, **more):
    return MethodSpec(
        name=translator.lower(),
        summary="For tests.",
        inputs=ports,
        output=output,
        translator=f"{__name__}:{translator}",
        needs_model=False,
        **more,
    )


class Triple(Translator):
    """Three times the size, computed with a margin at multiples of 8."""

    spec = make_spec("Triple", size=SizeRule(multiple=8, minimum=16, margin=4))

    def output_size(self, height, width):
        return 3 * height, 3 * width

    def translate(self, context, *, image):
        assert context.height % 8 == 0
        return image.repeat_interleave(3, -2).repeat_interleave(3, -1)


class Level(Translator):
    """Shows in what precision it is computed: 257 levels are too many for bf16."""

    spec = make_spec("Level")

    def translate(self, context, *, image):
        assert context.dtype == image.dtype
        return image


class Smear(Translator):
    """Breaks the promise of a step that carries pictures: it mixes classes."""

    spec = make_spec("Smear", (PICTURE,), Kind.PICTURE)

    def translate(self, context, *, picture):
        return ((picture + picture.flip(-1)) / 2).to(picture.dtype)


class Sizes(Translator):
    """Writes the sizes of its side ports into the picture."""

    spec = make_spec("Sizes", (IMAGE, Port("fitted", Kind.IMAGE, "s"), Port("free", Kind.IMAGE, "s", any_size=True)))

    def translate(self, context, *, image, fitted, free):
        return image * 0 + image.new_tensor([fitted.shape[-1], free.shape[-1], 0])[:, None, None] / 255


class Plugin:
    @hookimpl
    def register_methods(self):
        return [translator.spec for translator in (Triple, Level, Smear, Sizes)]


@pytest.fixture(autouse=True)
def plugin():
    before = current_registry()
    after = load_registry()
    after.add(PluginSource("chains_plugin", Plugin))
    use_registry(after)
    yield
    use_registry(before)


def pixels(height=6, width=8):
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)


def plan(text, *, has_input=True, **ports):
    return plan_chain(Chain(text), current_registry(), has_input=has_input, ports=ports)


# -- sizes and depth --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (5, 23), (24, 16)])
def test_output_sizes_go_with_margins_and_padding(size):
    array = pixels(*size)
    assert np.array_equal(Chain("triple")(array).numpy(), array.repeat(3, 0).repeat(3, 1))
    check_method("triple", current_registry())


def test_steps_without_weights_keep_sixteen_bits_whatever_the_precision():
    levels = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(Chain("level")(levels, precision="bf16").levels(16)[:, :, 0], levels)


def test_side_ports_fit_the_main_picture_unless_any_size_will_do():
    made = Chain("sizes")(pixels(), fitted=pixels(30, 40), free=pixels(30, 40)).numpy()
    assert made[0, 0].tolist() == [8, 40, 0]


# -- carried pictures -------------------------------------------------------------------------------------------


def test_a_plan_knows_what_is_carried():
    assert plan("crop").output is Kind.IMAGE
    assert plan("quantise,crop,rotate").output is Kind.LABELS
    assert plan("quantise,crop,blur").output is Kind.IMAGE
    assert plan("semgan,crop", has_input=False).output is Kind.LABELS


def test_an_input_travels_as_the_labels_that_a_later_step_takes():
    """Resized as an image, a map in class colours would no longer be one."""
    steps = plan("crop(width=5),resize(scale=2),pix2pix").steps
    assert [step.output for step in steps] == [Kind.LABELS, Kind.LABELS, Kind.IMAGE]
    labels = Chain("quantise")(pixels(6, 8))
    indices = labels.tensor[0].numpy().astype(np.uint8)
    resized = Chain("resize(width=32)")(labels)
    for source in (labels, labels.painted(), indices):
        made = Chain("resize(width=32),pix2pix")(source)
        assert torch.equal(made.tensor, Chain("pad(by=0),pix2pix")(resized).tensor)


def test_a_palette_file_of_known_classes_travels_as_labels(tmp_path, capsys):
    """At the shell and in Python alike; a JPEG, whose colours change, is made of it as of a picture."""
    labels = Chain("quantise")(pixels(6, 8))
    labels.save(tmp_path / "map.png")
    expected = Chain("resize(width=32)")(labels)
    assert main(["run", str(tmp_path / "map.png"), "--chain", "resize(width=32)", "-o", str(tmp_path / "o.png")]) == 0
    with Image.open(tmp_path / "o.png") as image:
        assert (image.mode, image.size) == ("P", (32, 24))
        assert np.array_equal(np.asarray(image), expected.tensor[0])
    made = Chain("resize(width=32)")(tmp_path / "map.png")
    assert torch.equal(made.tensor.long(), expected.tensor.long())
    assert (made.kind, made.classes, made.stem) == (Kind.LABELS, labels.classes, "map")
    assert main(["run", str(tmp_path / "map.png"), "--chain", "resize(width=32)", "-o", str(tmp_path / "o.jpg")]) == 0
    mixed = Chain("resize(width=32)")(labels.painted()).numpy()
    with Image.open(tmp_path / "o.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - mixed).mean() < 8
    assert Chain("blur")(tmp_path / "map.png").kind is Kind.IMAGE
    capsys.readouterr()


def test_a_step_that_only_moves_what_follows_an_image_sees_an_image():
    steps = plan("blur,resize,pix2pix").steps
    assert [step.output for step in steps] == [Kind.IMAGE] * 3


def test_the_kit_notices_invented_classes():
    with pytest.raises(AssertionError, match="labels at 17x33: it makes classes that were not in the map"):
        check_method("smear", current_registry())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"output": Kind.IMAGE}, "kind 'picture' is for the main port and the output, both or neither"),
        ({"inputs": (IMAGE,)}, "both or neither"),
        ({"inputs": (PICTURE, replace(PICTURE, name="other"))}, "both or neither"),
        (
            {"inputs": (replace(PICTURE, original=True),)},
            "the main port can be neither 'original', 'previous' nor 'any_size'",
        ),
    ],
)
def test_declarations_that_make_no_sense_are_refused(changes, words, monkeypatch):
    class Odd:
        @hookimpl
        def register_methods(self):
            return [replace(Smear.spec, name="odd", **changes)]

    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(PluginError, match=words):
        current_registry().add(PluginSource("odd_plugin", Odd))


# -- the chain's original ---------------------------------------------------------------------------------------


def test_a_plan_shows_what_the_original_feeds(tmp_path):
    lines = plan("edges,blend").describe()
    assert lines[1].startswith("2. blend  image, other=the input -> image")
    record = plan("edges,blend").as_json()["steps"][1]["inputs"]
    assert record == {"image": {"from": "previous"}, "other": {"from": "input"}}


def test_a_port_that_is_fed_takes_no_original():
    lines = plan("edges,blend", other=pixels()).describe()
    assert "other=<ndarray>" in lines[1]
    assert "other=[semgan]" in plan("edges,blend(other=[semgan])").describe()[1]


def test_the_original_is_the_input_as_the_run_resized_it():
    made = Chain("grey,blend(strength=0)")(pixels(), size=(4, 3))
    assert torch.equal(made.tensor, Chain("resize(width=4)")(pixels()).tensor)


# -- the command line -------------------------------------------------------------------------------------------


def test_filters_from_the_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Chain("pad(by=0)")(pixels()).save("photo.png")
    assert main(["run", "photo.png", "--chain", "edges(sigma=2),blend(strength=0.3)", "-o", "drawn.png"]) == 0
    assert main(["run", "--recipe", "drawn.png", "-o", "again.png"]) == 0
    assert (tmp_path / "drawn.png").stat().st_size > 0
    capsys.readouterr()
    assert main(["run", "photo.png", "--chain", "crop(width=900)", "-o", "no.png"]) == 1
    message = capsys.readouterr().err
    assert "crop(width=900): the picture is only 8 pixels wide" in message
    assert "Traceback" not in message
    assert not (tmp_path / "no.png").exists()
    assert main(["run", "photo.png", "--chain", "crop(width=0)", "-o", "no.png"]) == 2


def test_the_card_of_a_filter_shows_its_ranges(capsys):
    assert main(["methods", "blend"]) == 0
    card = capsys.readouterr().out
    assert "other (image, the chain's own input unless fed)" in card
    assert "artkit run PICTURE --chain blend\n" in card
    assert main(["methods", "crop"]) == 0
    assert "all of it when left out (whole number 1 to 65535)" in capsys.readouterr().out
