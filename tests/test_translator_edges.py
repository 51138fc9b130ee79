"""The translator's contract at its edges: margins and scales, other devices, progress and Ctrl-C, memory, sentences."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from artkit import Context, ImageError, Kind, MethodSpec, ModelHeader, Options, PluginError, Port, SizeRule, Translator
from artkit.motion import Ride
from artkit.motion.tracking import Anchor
from artkit.nn.reflection import reflect_index
from artkit.nn.tiling import in_tiles
from artkit.spec import ClassSet, LabelClass
from artkit.translator import Interrupted, mark_unfinite, step_seed, unfinite

SPEC = MethodSpec(
    name="fake",
    summary="A method for tests.",
    inputs=(Port("image", Kind.IMAGE),),
    output=Kind.IMAGE,
    translator="nowhere:Nothing",
    needs_model=False,
)
PICTURE = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))


def fake(answer, base=Translator, scale=1, header=None, **declared):
    """Return a translator that answers so, `scale` times as large, with these declarations and attributes."""
    attributes = {name: declared.pop(name) for name in list(declared) if hasattr(Translator, name)}

    class Fake(base):
        spec = dataclasses.replace(SPEC, **declared)

        def translate(self, context, **ports):
            return answer(context, **ports)

        def output_size(self, height, width):
            return scale * height, scale * width

    for name, value in attributes.items():
        setattr(Fake, name, value)
    return Fake(Options(), header)


def run(translator, image=PICTURE, **how):
    size = how.pop("size", tuple(image.shape[-2:]))
    return translator.run({"image": image}, seeds=how.pop("seeds", (7,)), size=size, **how)


def same(context, image):
    return image


@pytest.mark.parametrize("margin", [0, 1, 3])
@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_margins_and_padding_are_cut_off_in_proportion(margin, multiple, scale):
    seen = []

    def enlarge(context, image):
        seen.append((tuple(image.shape[-2:]), (context.height, context.width)))
        return image.repeat_interleave(scale, 2).repeat_interleave(scale, 3)

    made = run(fake(enlarge, scale=scale, size=SizeRule(multiple=multiple, margin=margin)))
    assert torch.equal(made, PICTURE.repeat_interleave(scale, 2).repeat_interleave(scale, 3))
    sides = tuple(-(-(side + 2 * margin) // multiple) * multiple for side in (6, 8))
    assert seen == [(sides, sides)]


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.MASK, Kind.LABELS])
def test_what_is_padded_is_mirrored(kind):
    seen = []
    values = torch.arange(48).view(1, 6, 8) if kind is Kind.LABELS else PICTURE[:, : 1 if kind is Kind.MASK else 3]
    rule = SizeRule(multiple=8, margin=1)
    run(
        fake(lambda context, image: seen.append(image) or image, inputs=(Port("image", kind),), output=kind, size=rule),
        values,
    )
    rows, columns = (reflect_index(side, padded, 1) for side, padded in ((6, 8), (8, 16)))
    assert torch.equal(seen[0], values[..., rows[:, None], columns])


@pytest.mark.parametrize("weights", [False, True])
def test_networks_see_channels_last_and_other_methods_contiguous_pictures(weights):
    seen = []

    class Network(Translator):
        def __init__(self, options, header):
            super().__init__(options, header)
            if weights:
                self.layer = nn.Conv2d(1, 1, 1)

        def translate(self, context, *, image):
            raise NotImplementedError

    run(fake(lambda context, image: seen.append(image) or image, Network))
    assert seen[0].is_contiguous(memory_format=torch.channels_last) is weights
    assert seen[0].is_contiguous() is not weights


def test_on_another_device_nothing_is_asked_and_the_output_stays_there():
    made = run(fake(lambda context, image: image * 2 - 0.5), device=torch.device("meta"))
    assert (made.device.type, made.shape, made.dtype) == ("meta", (1, 3, 6, 8), torch.float32)
    labels = fake(lambda context, image: image[:, 0].int(), output=Kind.LABELS)
    assert run(labels, device=torch.device("meta")).dtype == torch.int64
    grey = run(fake(lambda context, image: image[:, :1].expand_as(image)), device=torch.device("meta"))
    assert (grey.shape, grey.stride(1)) == ((1, 3, 6, 8), 0)


def test_numbers_just_in_range_are_neither_clamped_nor_marked():
    values = torch.tensor([0.0, 1.0, 0.5]).view(1, 3, 1, 1).expand(1, 3, 6, 8)
    assert torch.equal(run(fake(lambda context, image: values)), values)
    assert torch.equal(mark_unfinite(values), values)


SENTENCES = {
    "word": (lambda context, image: "art", {}, "fake returned str where image of shape (1, 3, 6, 8) was due"),
    "size": (
        lambda context, image: image[..., :4],
        {},
        "fake returned (1, 3, 6, 4) where image of shape (1, 3, 6, 8) was due",
    ),
    "channels": (
        lambda context, image: image[:, :1],
        {"finds_size": True},
        "fake returned (1, 1, 6, 8) where image of shape (1, 3, 6, 8) was due",
    ),
    "labels": (
        lambda context, image: image,
        {"output": Kind.LABELS},
        "fake returned (1, 3, 6, 8) where labels of shape (1, 6, 8) was due",
    ),
    "batch": (
        lambda context, image: image.repeat(2, 1, 1, 1),
        {},
        "fake returned (2, 3, 6, 8) where image of shape (1, 3, 6, 8) was due",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_outputs_that_break_the_contract(name):
    answer, declared, sentence = SENTENCES[name]
    with pytest.raises(PluginError) as caught:
        run(fake(answer, **declared))
    assert str(caught.value) == f"{sentence}: the plugin breaks the contract."


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none(wrong):
    with pytest.raises(PluginError) as caught:
        run(fake(lambda context, image: image.index_fill(3, torch.tensor([2]), wrong)))
    assert str(caught.value) == unfinite("fake") == "fake produced NaN: try --precision fp32, or another model."


def test_a_picture_larger_than_the_limit_may_stay_as_large_as_it_is(monkeypatch):
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "10")
    assert run(fake(same)).shape == PICTURE.shape
    with pytest.raises(ImageError) as caught:
        run(fake(lambda context, image: F.interpolate(image, scale_factor=2), scale=2))
    assert str(caught.value) == (
        "fake would make 16×12 pixels; the limit is 10. Ask for less, or set ARTKIT_MAX_PIXELS higher."
    )


def test_progress_passes_the_last_sketch_on_and_ctrl_c_leaves_it():
    told = []

    def work(context, image):
        context.progress(0.1)
        context.progress(0.25, lambda: image * 4 - 1)
        context.progress(0.5)
        raise KeyboardInterrupt

    rule = SizeRule(multiple=8)
    with pytest.raises(Interrupted) as caught:
        run(fake(work, size=rule), progress=lambda share, sketch: told.append((share, sketch)))
    assert [share for share, _ in told] == [0.1, 0.25, 0.5]
    assert [sketch is None for _, sketch in told] == [True, False, False]
    expected = (PICTURE * 4 - 1).clamp(0, 1)
    for output in (caught.value.output, told[1][1](), told[2][1]()):
        assert torch.equal(output, expected)
    assert caught.value.share == 0.25


def test_ctrl_c_without_a_sketch_is_ctrl_c_as_ever():
    def work(context, image):
        context.progress(0.5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run(fake(work))
    assert type(caught.value) is KeyboardInterrupt


def test_a_sketch_must_keep_the_contract_too():
    def work(context, image):
        context.progress(0.5, lambda: image[:, :1])
        return image

    with pytest.raises(PluginError, match=r"^fake returned \(1, 1, 6, 8\) where"):
        run(fake(work), progress=lambda share, sketch: sketch())


@pytest.mark.parametrize(("memory", "cut"), [(None, False), (10**9, False), (10_000, True)])
def test_networks_are_cut_where_memory_is_short(memory, cut):
    seen, image = [], torch.rand(1, 3, 90, 100)

    def work(context, image):
        return in_tiles(lambda x: seen.append(tuple(x.shape[-2:])) or x * 1, image, halo=0)

    assert torch.equal(run(fake(work), image, memory=memory), image)
    assert ((64, 64) in seen) is cut
    assert ((90, 100) in seen) is not cut


def test_inference_mode_is_on_and_text_and_nothing_pass():
    seen = {}

    def work(context, image, word, style, many):
        seen.update(word=word, style=style, many=many, mode=torch.is_inference_mode_enabled())
        return image

    ports = (
        Port("image", Kind.IMAGE),
        Port("word", Kind.TEXT),
        Port("style", Kind.IMAGE, required=False),
        Port("many", Kind.IMAGE, many=True),
    )
    translator = fake(work, inputs=ports)
    given = {"image": PICTURE, "word": ("sea",), "style": None, "many": [PICTURE, PICTURE * 0.5]}
    translator.run(given, seeds=(7,), size=(6, 8))
    assert (seen["word"], seen["style"], seen["mode"]) == (("sea",), None, True)
    assert torch.equal(seen["many"][1], PICTURE * 0.5)
    assert seen["many"][0].data_ptr() != PICTURE.data_ptr()


def test_what_a_translator_says_of_itself_as_a_rule():
    plain = fake(same)
    assert plain.report(torch.zeros(3, 1)) == [{}, {}, {}]
    assert plain.portable() is None
    assert plain.dream_size(3, 4) == (3, 4)
    assert Translator.output_size(plain, 3, 4) == (3, 4)
    assert plain.class_set is None
    assert plain.size_rule == SizeRule()
    assert (plain.reusable, plain.keeps_float, plain.finds_size, plain.batch) == (True, False, False, None)
    sky = ClassSet("sky", (LabelClass("sky", (1, 2, 3)),))
    header = ModelHeader(method="fake", architecture="a", inputs={}, output=Kind.IMAGE, classes=sky)
    assert fake(same, header=header).class_set == sky


def test_what_a_context_knows_by_itself():
    context = Context((1, 2), 3, 4)
    assert (context.facts, context.numbers, context.rides) == ((), (), ())
    assert (context.device, context.dtype) == (torch.device("cpu"), torch.float32)
    assert context.progress(0.5) is None
    assert context.bookmark.read() is None
    assert context.normal(3).shape == (2, 3)
    assert torch.equal(context.normal(3)[1], torch.randn(3, generator=torch.Generator().manual_seed(2)))
    known = Context((1, 2), 3, 4, ({"a": "x"}, {"a": "y"}))
    assert [known.fact(index, "a") for index in (0, 1, 2)] == ["x", "y", None]
    assert step_seed(3, 1) != step_seed(1, 3)


def test_a_picture_port_decides_what_comes_out():
    carrier = fake(same, inputs=(Port("image", Kind.PICTURE),), output=Kind.PICTURE)
    for values in (PICTURE, PICTURE[:, :1], torch.zeros(1, 6, 8, dtype=torch.uint8)):
        made = run(carrier, values)
        assert (made.shape, made.dtype) == (values.shape, values.dtype)


def test_a_rides_anchors_come_with_the_margin_of_the_main_port():
    seen = {}

    def work(context, image, style):
        seen["ride"] = context.rides[0]
        return image

    ports = (Port("image", Kind.IMAGE), Port("style", Kind.IMAGE, required=False, any_size=True))
    translator = fake(work, inputs=ports, size_rule=SizeRule(multiple=4, margin=2))
    frame = PICTURE[0].flip(-1)
    ride = Ride((Anchor(frame, torch.zeros(2, 3, 4)),), 1.0)
    translator.run({"image": PICTURE, "style": PICTURE}, seeds=(7,), size=(6, 8), rides=(ride,))
    rows, columns = (reflect_index(side, padded, 2) for side, padded in ((6, 12), (8, 12)))
    assert torch.equal(seen["ride"].anchors[0].picture, frame[:, rows[:, None], columns])
    assert (seen["ride"].size, seen["ride"].margin, seen["ride"].share) == ((6, 8), 2, 1.0)
