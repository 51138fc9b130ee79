"""CAN: the losses are the paper's, the known bugs of its re-implementations stay out, dreams keep to their seeds."""

from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pytest
import torch

from artkit import Chain, Kind, ModelError, ModelHeader, OptionError
from artkit.chain import plan_chain
from artkit.cli import main
from artkit.engine import Runner
from artkit.nn import stroke_noise
from artkit.plugins import current_registry
from artkit.seeds import mix_seeds
from artkit.testing import check_spec
from artkit.translator import step_seed
from artkit_can import SPEC, CanOptions
from artkit_can.losses import (
    ambiguity_floor,
    ambiguity_loss,
    entropy,
    posterior,
    style_loss,
)
from artkit_can.networks import Discriminator, Generator, StyleClassifier, plan_side, size_multiple
from artkit_can.translator import Can, slerp

STYLES = ["baroque", "cubism", "pop"]
GENERATOR = {"latent": 6, "width": 4, "resolution": 32, "upsample": "resize", "strokes": True}
FORMS = ("sigmoid", "softmax")


def translator(generator=GENERATOR, style_form="softmax", **options):
    torch.manual_seed(0)
    header = ModelHeader(
        method="can",
        architecture="can",
        arguments={
            "generator": generator,
            "classifier": {"width": 4, "resolution": 32, "norm": "batch"},
            "styles": STYLES,
            "style_form": style_form,
        },
        inputs={},
        output=Kind.IMAGE,
        size_multiple=size_multiple(generator["resolution"]),
    )
    model = Can(CanOptions(**options), header).eval()
    for name, weight in model.named_parameters():
        torch.nn.init.normal_(weight, mean=float(name.endswith("1.weight") and weight.dim() == 1), std=0.3)
    return model


def dream(model, *numbers, size=(32, 32)):
    seeds = tuple(step_seed(number, 0) for number in numbers)
    return model.run({}, seeds=seeds, numbers=numbers, size=size)


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)
    assert SPEC.is_source


# -- losses ---


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [2, 8, 27])
def test_the_ambiguity_is_least_where_no_style_is_preferred_and_that_is_its_floor(form, count):
    flat = torch.full((4, count), -math.log(count - 1) if form == "sigmoid" else 0.7, requires_grad=True)
    loss = ambiguity_loss(flat, form)
    assert loss.item() == pytest.approx(ambiguity_floor(count, form), rel=1e-5)
    loss.backward()
    assert flat.grad.abs().max() < 1e-6
    sure = torch.zeros(4, count)
    sure[:, 1] = 6.0
    assert float(ambiguity_loss(sure, form)) > ambiguity_floor(count, form) + 0.5


def test_the_floors_are_the_known_numbers():
    assert ambiguity_floor(27, "softmax") == pytest.approx(3.2958, abs=1e-4)
    share = 1 / 27
    binary = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    assert ambiguity_floor(27, "sigmoid") == pytest.approx(27 * binary)


def test_the_sigmoid_form_is_the_formula_of_the_paper():
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    p = torch.sigmoid(logits)
    formula = -(0.25 * p.log() + 0.75 * (1 - p).log()).sum(1).mean()
    assert torch.allclose(ambiguity_loss(logits, "sigmoid"), formula)


@pytest.mark.parametrize("form", FORMS)
def test_the_style_loss_wants_the_right_style_alone(form):
    styles = torch.tensor([2, 0])
    right = torch.full((2, 3), -9.0).scatter(1, styles[:, None], 9.0)
    assert float(style_loss(right, styles, form)) < 1e-3
    every = torch.full((2, 3), 9.0)  # yes to every style must not pay
    assert float(style_loss(every, styles, form)) > 1
    assert torch.allclose(posterior(right, form).argmax(1), styles)
    assert torch.allclose(posterior(every, form).sum(1), torch.ones(2))


def test_entropy_is_log_k_at_most():
    assert entropy(torch.tensor([[0.25] * 4, [1.0, 0.0, 0.0, 0.0]])).tolist() == pytest.approx([math.log(4), 0.0])


# -- networks ---


def test_the_generator_is_the_papers_by_default():
    paper = Generator()
    shapes = [tuple(layer[0].weight.shape) for layer in paper.levels] + [tuple(paper.leave[0].weight.shape)]
    assert tuple(paper.dense.weight.shape) == (4 * 4 * 1024, 100)
    assert shapes == [
        (1024, 1024, 5, 5), (1024, 512, 5, 5), (512, 256, 5, 5), (256, 128, 5, 5), (128, 64, 5, 5), (64, 3, 5, 5)
    ]  # fmt: skip


@pytest.mark.parametrize("upsample", ["transposed", "resize"])
@pytest.mark.parametrize("strokes", [False, True])
@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_the_generator_makes_any_size_its_rule_allows(upsample, strokes, resolution):
    generator = Generator(5, 2, resolution, upsample, strokes).eval()
    multiple = size_multiple(resolution)
    assert multiple * plan_side(resolution) == resolution
    for height, width in ((resolution, resolution), (multiple, 3 * multiple), (resolution + multiple, resolution)):
        noise = stroke_noise(height, width, 1)[None] if strokes else None
        with torch.no_grad():
            made = generator(torch.randn(2, 5), None if noise is None else noise.expand(2, -1, -1, -1), (height, width))
        assert made.shape == (2, 3, height, width)
        assert made.abs().max() <= 1


@pytest.mark.parametrize("resolution", [16, 64])
@pytest.mark.parametrize("changes", [{}, {"norm": "none", "spectral": True, "patches": True}])
def test_the_exported_classifier_is_the_discriminators(resolution, changes):
    torch.manual_seed(1)
    whole = Discriminator(3, 4, resolution, **changes).eval()
    classifier = StyleClassifier(3, 4, resolution, changes.get("norm", "batch")).eval()
    classifier.load_state_dict(whole.classifier_state())
    x = torch.rand(2, 3, resolution, resolution)
    with torch.no_grad():
        real_or_fake, logits = whole(x)
        assert torch.allclose(classifier(x), logits, atol=1e-5)
    assert len(real_or_fake) == (2 if changes else 1)
    side = min(16, resolution // 2)
    assert not changes or real_or_fake[1].shape == (2, 1, side, side)


def test_the_heads_see_4_by_4_however_large_the_picture():
    """The public implementation stops at 8 x 8, where the heads hold most of the weights."""
    assert Discriminator(27, 32, 256).whole.in_features == 4 * 4 * 512


def test_ambiguity_reaches_the_generator_through_the_style_head():
    """One re-implementation stops the gradient there, so that its ambiguity teaches nothing."""
    made = torch.rand(2, 3, 32, 32, requires_grad=True)
    discriminator = Discriminator(3, 4, 32).requires_grad_(False)
    ambiguity_loss(discriminator(made)[1], "softmax").backward()
    assert float(made.grad.abs().sum()) > 0
    assert all(weight.grad is None for weight in discriminator.parameters())


# -- dreams ---


def test_dreams_follow_the_seed_whatever_the_batch():
    model = translator()
    both = dream(model, 3, 4)
    assert torch.allclose(both[1:], dream(model, 4), atol=1e-5)
    assert torch.equal(both, dream(model, 3, 4))
    assert (both[0] - both[1]).abs().mean() > 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (33, 5), (40, 72)])
def test_any_size(size):
    made = dream(translator(), 1, size=size)
    assert made.shape == (1, 3, *size)
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_a_side_wins_over_the_size_of_the_run():
    plan = plan_chain(Chain("can(side=40)"), current_registry(), has_input=False)
    assert Runner(plan).run(seed=1, size=(64, 32))[-1].picture.size == (40, 40)


def test_temperature_tames_dreams():
    smooth = {**GENERATOR, "strokes": False}
    assert torch.equal(dream(translator(smooth, temperature=0), 1), dream(translator(smooth, temperature=0), 2))
    assert not torch.equal(dream(translator(smooth, temperature=2), 1), dream(translator(smooth), 1))


def test_towards_leads_from_one_dream_to_another():
    near, far = (dream(translator(), number) for number in (5, 9))
    start, end, middle = (dream(translator(towards=9, share=share), 5) for share in (0, 1, 0.5))
    assert torch.equal(start, near)
    assert torch.allclose(end, far, atol=1e-5)
    assert min(float((middle - one).abs().mean()) for one in (near, far)) > 1e-3


def test_walks_pass_the_dreams_of_whole_seeds():
    plain, walking = translator(), translator(interpolate=4)
    assert torch.allclose(dream(walking, 12), dream(plain, 3), atol=1e-5)
    steps = torch.cat([dream(walking, number) for number in range(12, 17)])
    assert torch.allclose(steps[-1:], dream(plain, 4), atol=1e-5)
    pace = (steps[1:] - steps[:-1]).abs().mean((1, 2, 3))
    assert float(pace.min()) > 0
    assert float(pace.max()) < float((steps[0] - steps[-1]).abs().mean())
    assert mix_seeds(3, 0) == step_seed(3, 0)


def test_walking_two_ways_at_once_is_refused():
    with pytest.raises(OptionError, match="not both"):
        translator(towards=1, interpolate=2)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_slerp_keeps_the_length_and_turns_evenly(share):
    a, b = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])
    angle = share * math.pi / 2
    assert torch.allclose(slerp(a, b, share), torch.tensor([math.cos(angle), math.sin(angle), 0.0]), atol=1e-6)
    assert torch.allclose(slerp(a, 3 * a, share), (1 + 2 * share) * a)


@pytest.mark.parametrize("form", FORMS)
def test_the_report_is_a_posterior_and_its_entropy(form):
    model = translator(style_form=form)
    made = dream(model, 1, 2, size=(20, 44))
    reports = model.report(made)
    assert len(reports) == 2
    for report in reports:
        chances = np.array(list(report["styles"].values()))
        assert list(report["styles"]) == STYLES
        assert chances.sum() == pytest.approx(1, abs=1e-3)
        expected = -(chances * np.log(np.maximum(chances, 1e-9))).sum()
        assert report["style_entropy"] == pytest.approx(expected, abs=5e-3)


def test_the_atelier_model_dreams_varied_undecided_pictures():
    runs = [run_can(seed) for seed in range(6)]
    pictures = torch.cat([run.picture.tensor for run in runs])
    apart = [float((pictures[a] - pictures[b]).abs().mean()) for a in range(6) for b in range(a)]
    assert min(apart) > 0.05
    assert pictures.std((2, 3)).mean() > 0.1
    assert sum(run.report["style_entropy"] for run in runs) / 6 > 0.4 * math.log(10)


def run_can(seed):
    plan = plan_chain(Chain("can"), current_registry(), has_input=False)
    return Runner(plan).run(seed=seed, size=(128, 128))[-1]


def test_json_tells_how_the_classifier_sees_it(tmp_path, capsys):
    assert (
        main(["run", "--chain", "can", "--seed", "3", "--size", "32x32", "-o", str(tmp_path / "a.png"), "--json"]) == 0
    )
    step = json.loads(capsys.readouterr().out)["results"][0]["steps"][0]
    assert step["method"] == "can"
    assert len(step["styles"]) == 10
    assert 0 <= step["style_entropy"] <= math.log(10) + 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": GENERATOR | {"resolution": 48}}, "resolution"),
        ({"generator": GENERATOR | {"width": 10**6}}, "width"),
        ({"styles": ["one"]}, "length >= 2"),
        ({"critic": {}}, "critic"),
    ],
)
def test_a_header_is_checked_before_anything_is_built(change, message):
    header = translator().header
    header = msgspec.structs.replace(header, arguments=header.arguments | change)
    with pytest.raises(ModelError, match=message):
        Can(CanOptions(), header)
