"""The translator contract, with plugins that keep it and plugins that break it."""

from __future__ import annotations

import dataclasses
import itertools
from typing import ClassVar

import pytest
import torch
from hypothesis import given, strategies as st
from torch.nn import functional as F

from artkit import Context, ImageError, Kind, MethodSpec, ModelHeader, Options, PluginError, Port, SizeRule, Translator
from artkit.translator import Bookmark, mark_unfinite, reflect_index

SPEC = MethodSpec(
    name="fake",
    summary="A method for tests.",
    inputs=(Port("image", Kind.IMAGE),),
    output=Kind.IMAGE,
    translator="nowhere:Nothing",
    needs_model=False,
    size=SizeRule(multiple=4, minimum=8),
)


class Fake(Translator):
    """Returns what `answer` makes of the picture."""

    spec: ClassVar[MethodSpec] = SPEC

    def __init__(self, answer):
        super().__init__(Options(), None)
        self.answer = answer

    def translate(self, context, *, image):
        return self.answer(context, image)


def run(answer, image, seeds=None):
    return Fake(answer).run({"image": image}, seeds=seeds or tuple(range(len(image))), size=tuple(image.shape[-2:]))


@given(st.integers(1, 21), st.integers(1, 21))
def test_any_size_comes_back_and_the_network_sees_multiples(height, width):
    seen = []
    image = torch.rand(1, 3, height, width)

    def answer(context, x):
        seen.append((context.height, context.width, *x.shape[-2:]))
        return x

    assert torch.equal(run(answer, image), image)
    assert seen[0][:2] == seen[0][2:]
    assert all(side % 4 == 0 and side >= 8 for side in seen[0])


@given(st.integers(1, 12), st.integers(0, 40))
def test_reflection_mirrors_as_often_as_needed(side, more):
    indices = reflect_index(side, side + more).tolist()
    assert indices[:side] == list(range(side))
    assert all(abs(a - b) <= 1 for a, b in itertools.pairwise(indices))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12))
def test_margins_are_mirrored_and_cut_off(height, width, margin):
    image = torch.rand(1, 3, height, width)
    seen = []

    class Wide(Fake):
        spec = dataclasses.replace(SPEC, size=SizeRule(margin=margin))

    wide = Wide(lambda _, x: seen.append(x) or x)
    out = wide.run({"image": image}, seeds=(0,), size=(height, width))
    assert torch.equal(out, image)
    if margin < min(height, width):
        assert torch.equal(seen[0], F.pad(image, (margin,) * 4, mode="reflect"))


def test_inputs_stay_as_they_were():
    image = torch.rand(1, 3, 8, 8)
    before = image.clone()
    run(lambda _, x: x.mul_(0), image)
    assert torch.equal(image, before)


def test_output_is_clamped():
    out = run(lambda _, x: x * 10 - 5, torch.rand(1, 3, 8, 8))
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _, x: x * float("nan"), "fake produced NaN"),
        (lambda _, x: x[..., :4], "fake returned"),
        (lambda _, x: "art", "fake returned str"),
        (lambda _, x: x[:, :1], "breaks the contract"),
    ],
)
def test_broken_plugins_are_named(answer, words):
    with pytest.raises(PluginError, match=words):
        run(answer, torch.rand(1, 3, 8, 8))


def test_noise_of_a_picture_depends_on_its_seed_alone():
    def answer(context, x):
        return context.normal(3, context.height, context.width).sigmoid()

    image = torch.rand(2, 3, 8, 8)
    both = run(answer, image, (5, 6))
    assert torch.equal(both[1:], run(answer, image[1:], (6,)))
    assert not torch.equal(both[0], both[1])


def test_facts_reach_the_plugin():
    context = Context((1, 2), 8, 8, ({"time": "dusk"},))
    assert context.fact(0, "time") == "dusk"
    assert context.fact(0, "weather") is None
    assert context.fact(1, "time") is None


def test_a_translator_that_cannot_translate_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match=r"^Silent is a Translator without a method translate\(context, \*\*ports\)$"):
        type("Silent", (Translator,), {"spec": SPEC})


def test_a_header_tightens_the_methods_size_rule_and_never_loosens_it():
    """The method wants multiples of 4 from 8 pixels on; its models may want more."""
    rules = {(1, 1, 0): (4, 8, 0), (6, 10, 2): (12, 10, 2), (4, 32, 0): (4, 32, 0)}
    for (multiple, minimum, margin), expected in rules.items():
        sizes = {"size_multiple": multiple, "size_minimum": minimum, "size_margin": margin}
        fake = Fake(None)
        fake.header = ModelHeader(method="fake", architecture="a", inputs={}, output=Kind.IMAGE, **sizes)
        assert fake.size_rule == SizeRule(*expected)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_one_value_that_is_no_number_is_an_error_and_never_clamped(wrong, precision):
    """Clamping would make of infinity a white pixel."""

    def spoil(_, x):
        x[0, 1, 2, 3] = wrong
        return x

    image = torch.rand(1, 3, 8, 8)
    with pytest.raises(PluginError, match="fake produced NaN"):
        Fake(spoil).run({"image": image}, seeds=(0,), size=(8, 8), dtype=precision)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_where_asking_would_stop_the_work_a_spoilt_picture_is_marked_all_over(wrong):
    output = torch.rand(3, 3, 4, 5) * 3 - 1
    expected = output.clamp(0, 1)
    output[1, 2, 3, 4] = wrong
    marked = mark_unfinite(output)
    assert marked[1].isnan().all()
    assert torch.equal(marked[[0, 2]], expected[[0, 2]])


def test_plugins_see_the_precision_asked_for_and_give_back_float32():
    seen = []
    out = Fake(lambda _, x: seen.append(x.dtype) or x).run(
        {"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8), dtype=torch.bfloat16
    )
    assert (seen, out.dtype) == ([torch.bfloat16], torch.float32)

    class Exact(Fake):
        keeps_float = True

    exact = Exact(lambda _, x: seen.append(x.dtype) or x)
    exact.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8), dtype=torch.bfloat16)
    assert seen[1] == torch.float32


def test_what_a_plugin_keeps_of_its_output_is_not_what_comes_next():
    """The output is a copy: a plugin that returns a tensor of its own, or its input, shares nothing."""
    kept = torch.rand(1, 3, 8, 8)
    out = run(lambda _, x: kept, torch.rand(1, 3, 8, 8))
    assert torch.equal(out, kept)
    assert out.data_ptr() != kept.data_ptr()


def test_no_gradient_is_recorded():
    seen = []
    run(lambda _, x: seen.append(torch.is_grad_enabled()) or x, torch.rand(1, 3, 8, 8))
    assert seen == [False]


@pytest.mark.parametrize("kind", [Kind.LABELS, Kind.PICTURE])
def test_networks_get_int64_labels_and_what_carries_any_picture_gets_bytes(kind):
    spec = dataclasses.replace(SPEC, inputs=(Port("image", kind),), output=kind)
    seen = []

    class Carrier(Fake):
        pass

    Carrier.spec = spec
    labels = torch.tensor([[[0, 1], [2, 3]]], dtype=torch.uint8)

    def answer(context, image):
        seen.append(image.dtype)
        return image

    output = Carrier(answer).run({"image": labels}, seeds=(0,), size=(2, 2))
    bytes_stay = kind is Kind.PICTURE
    assert seen == [torch.uint8 if bytes_stay else torch.int64]
    assert output.dtype == seen[0]
    assert torch.equal(output.long(), labels.long())
    assert Carrier(answer).run({"image": labels.long()}, seeds=(0,), size=(2, 2)).dtype == torch.int64


@pytest.mark.parametrize("channels", [1, 3])
def test_outputs_are_nobody_elses_memory(channels):
    kept = torch.rand(1, channels, 8, 8) * 3 - 1
    before = kept.clone()
    output = run(lambda context, x: kept.expand_as(x), torch.rand(1, 3, 8, 8))
    assert torch.equal(output, before.clamp(0, 1).expand(1, 3, 8, 8))
    assert torch.equal(kept, before)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [0, 100, 191])
def test_one_bad_number_anywhere_is_refused(bad, place):
    def answer(context, x):
        x.view(-1)[place] = bad
        return x

    with pytest.raises(PluginError, match="produced NaN"):
        run(answer, torch.rand(1, 3, 8, 8))


def test_what_a_context_draws_has_the_type_and_the_device_of_the_work():
    context = Context((3, 4), 2, 2, dtype=torch.bfloat16, device=torch.device("meta"))
    drawn = context.draw(lambda seed: torch.full((2,), float(seed)))
    assert (drawn.shape, drawn.dtype, drawn.device.type) == ((2, 2), torch.bfloat16, "meta")
    on_cpu = Context((3, 4), 2, 2).draw(lambda seed: torch.full((2,), float(seed)))
    assert torch.equal(on_cpu, torch.tensor([[3.0, 3.0], [4.0, 4.0]]))


def test_the_plugin_hears_what_the_call_was_given():
    told, heard, mark = [], [], Bookmark()

    def answer(context, x):
        heard.append(context)
        context.progress(0.5, lambda: x * 2)
        return x

    image = torch.rand(2, 3, 6, 7)
    facts = ({"time": "dusk"}, {"time": "noon"})
    Fake(answer).run(
        {"image": image},
        seeds=(5, 6),
        size=(6, 7),
        facts=facts,
        dtype=torch.bfloat16,
        numbers=(1, 2),
        progress=lambda share, sketch: told.append((share, sketch())),
        bookmark=mark,
    )
    (context,) = heard
    assert (context.seeds, context.numbers, context.facts) == ((5, 6), (1, 2), facts)
    assert (context.height, context.width) == (8, 8)
    assert (context.device, context.dtype) == (torch.device("cpu"), torch.bfloat16)
    assert context.bookmark is mark
    ((share, sketch),) = told
    assert share == 0.5
    assert torch.equal(sketch, (image.bfloat16() * 2).float().clamp(0, 1))


def test_what_a_call_leaves_out_has_defaults():
    heard = []
    run(lambda context, x: heard.append(context) or x, torch.rand(1, 3, 8, 8), seeds=(9,))
    assert (heard[0].numbers, heard[0].facts, heard[0].device) == ((9,), (), torch.device("cpu"))
    assert isinstance(heard[0].bookmark, Bookmark)


def test_label_maps_come_out_as_int64_and_as_nobody_elses_memory():
    kept = torch.ones(1, 8, 8, dtype=torch.int32)

    class Reader(Fake):
        spec = dataclasses.replace(SPEC, output=Kind.LABELS)

    for answer in (kept, kept.long()):
        output = Reader(lambda _, x, answer=answer: answer).run(
            {"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8)
        )
        assert output.dtype == torch.int64
        assert torch.equal(output, kept.long())
        assert output.data_ptr() != answer.data_ptr()


def test_equal_channels_stay_one_in_memory():
    output = run(lambda _, x: x[:, :1].expand_as(x), torch.rand(1, 3, 8, 8))
    assert output.stride(1) == 0
    assert torch.equal(output[:, 0], output[:, 2])


def of_kinds(answer, inputs, output):
    """Return a translator of these ports that answers so."""

    class Other(Translator):
        spec = dataclasses.replace(SPEC, inputs=inputs, output=output)

        def translate(self, context, **ports):
            return answer(**ports)

    return Other(Options(), None)


def test_masks_have_one_channel():
    two = torch.rand(1, 2, 8, 8)
    mask = of_kinds(lambda image: image[:, :1], (Port("image", Kind.IMAGE),), Kind.MASK)
    assert mask.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8)).shape == (1, 1, 8, 8)
    wrong = of_kinds(lambda image: two, (Port("image", Kind.IMAGE),), Kind.MASK)
    with pytest.raises(PluginError, match=r"returned \(1, 2, 8, 8\) where mask of shape \(1, 1, 8, 8\) was due"):
        wrong.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8))


@pytest.mark.parametrize("kind", [Kind.LABELS, Kind.PICTURE])
def test_a_plugin_may_write_into_its_labels(kind):
    labels = torch.arange(64).view(1, 8, 8)
    before = labels.clone()
    output = of_kinds(lambda image: image.zero_(), (Port("image", kind),), kind).run(
        {"image": labels}, seeds=(0,), size=(8, 8)
    )
    assert torch.equal(labels, before)
    assert not output.any()


def test_a_port_of_any_size_is_left_as_it_is():
    seen = {}

    def answer(image, style):
        seen.update(image=image, style=style)
        return image

    ports = (Port("image", Kind.IMAGE), Port("style", Kind.IMAGE, any_size=True))
    style = torch.rand(1, 3, 5, 11)
    of_kinds(answer, ports, Kind.IMAGE).run({"image": torch.rand(1, 3, 6, 6), "style": style}, seeds=(0,), size=(6, 6))
    assert seen["image"].shape == (1, 3, 8, 8)
    assert torch.equal(seen["style"], style)


def test_an_output_may_grow_to_the_limit_of_pixels_and_no_further(monkeypatch):
    class Larger(Fake):
        def output_size(self, height, width):
            return 2 * height, 2 * width

    larger = Larger(lambda _, x: F.interpolate(x, scale_factor=2))
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "256")
    assert larger.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8)).shape == (1, 3, 16, 16)
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "255")
    with pytest.raises(ImageError, match=r"would make 16×16 pixels; the limit is 255\. Ask for less, or set"):
        larger.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8))


def test_an_output_of_a_size_that_is_found_has_fewer_pixels_or_as_many():
    class Cutting(Fake):
        finds_size = True

    def run(height, width):
        cutting = Cutting(lambda _, x: x.new_ones(1, 3, height, width))
        return cutting.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8)).shape[-2:]

    assert run(3, 5) == (3, 5)
    assert run(4, 16) == (4, 16)
    for height, width in ((13, 5), (0, 5)):
        with pytest.raises(PluginError, match="breaks the contract"):
            run(height, width)


def test_a_label_map_may_be_of_a_size_that_is_found():
    cutting = of_kinds(lambda image: torch.ones(1, 3, 5, dtype=torch.int64), SPEC.inputs, Kind.LABELS)
    cutting.finds_size = True
    assert cutting.run({"image": torch.rand(1, 3, 8, 8)}, seeds=(0,), size=(8, 8)).shape == (1, 3, 5)
