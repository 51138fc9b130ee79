"""What every trainer does alike: which columns it reads, how its optimisers are set, how it starts, who learns when."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from artkit.data import Batches, open_dataset
from artkit.errors import ArtkitError
from artkit.plugins import load_registry, resolve, use_registry
from artkit.spec import parse_options
from artkit.training import Settings
from test_trainers import GIVEN, LOOKS, clip

__all__ = ["clip"]


@pytest.fixture
def build(monkeypatch, clip):
    """Return a function that makes the trainer of a method, with other options or settings than the usual ones."""
    monkeypatch.setenv("ARTKIT_PLUGINS", ",".join(GIVEN) + ",atelier")
    registry = load_registry((Path(__file__).parent / "tiny_methods.py",))
    use_registry(registry)

    def one(name, options=None, *, without=(), data=None, **settings):
        spec = registry.method(name)
        given = {key: value for key, value in GIVEN[name].items() if key not in without} | (options or {})
        data = data or open_dataset(clip if name == "nextframe" else LOOKS, "train")
        settings = Settings(**{"batch": 2, "crop": 32, "learning_rate": 1e-3, **settings})
        torch.manual_seed(0)
        return resolve(spec.trainer, name)(parse_options(spec.training_options, given, name), settings, data)

    yield one
    use_registry(None)


def batch_for(trainer, data=LOOKS):
    data = open_dataset(data, "train")
    return Batches(data, trainer.columns, size=2, crop=32, seed=0, prepare=trainer.prepare).at(0)


TEXTS = ("caption", "time", "weather", "seed", "style")
COLUMNS = {  # without options: the first of a kind; with: those named
    "can": (("photo", "time"), {"picture": "painting", "styles": "style"}, ("painting", "style")),
    "cyclegan": (("photo", "painting"), {"source": "partner", "target": ("photo",)}, ("partner", "photo")),
    "igan": (("photo",), {"picture": "partner"}, ("partner",)),
    "pix2pix": (("label", "photo", "seed"), {"source": "photo", "target": "partner"}, ("photo", "partner", "seed")),
    "semgan": (("label",), {"labels": "label"}, ("label",)),
    "spade": (
        ("label", "photo", "partner", "time", "weather", "style", "seed"),
        {"target": "partner", "partner": "painting"},
        ("label", "partner", "painting", "time", "weather", "style", "seed"),
    ),
    "stackgan": (
        ("label", "photo", "caption"),
        {"picture": "painting", "caption": "style", "labels": "label"},
        ("label", "painting", "style"),
    ),
    "superres": (("photo", "painting", "partner"), {"sources": ("partner", "photo")}, ("partner", "photo")),
    "touchup": (("label", "photo", *TEXTS), {"source": "photo", "target": "painting"}, ("photo", "painting", *TEXTS)),
}
NAMES = ("source", "target", "picture", "styles", "labels", "caption", "sources", "conditions", "default_conditions")


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_the_first_of_their_kind_or_those_named(build, name):
    first, options, named = COLUMNS[name]
    assert build(name, without=NAMES).columns == first
    assert build(name, options, without=NAMES).columns == named


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "can",
            {"styles": "caption"},
            "training can: landscapes does not say in column 'caption' which of two or more styles each picture has: "
            "put the pictures of each style into a folder of its own.",
        ),
        ("stackgan", {"labels": "photo"}, "training stackgan: column 'photo' holds no label maps."),
        ("semgan", {"labels": "photo"}, "training semgan(labels=photo): this column holds no label maps."),
        (
            "spade",
            {"source": "photo"},
            "training spade: column 'photo' holds no label maps: name one that does with --set source=NAME, or put "
            "classes.txt beside the data (`artkit data check` says what it takes).",
        ),
        (
            "pix2pix",
            {"conditions": ("caption",), "default_conditions": ()},
            "training pix2pix(conditions): 'caption' is no text column of few words.",
        ),
        (
            "pix2pix",
            {"default_conditions": ("nun",)},
            "training pix2pix(default_conditions='nun'): this model knows no 'nun'. Did you mean 'noon'?",
        ),
        (
            "spade",
            {"default_conditions": ("nun",)},
            "training spade(default_conditions='nun'): this model knows no 'nun'. Did you mean 'noon'?",
        ),
        (
            "superres",
            {"scales": (2, 2)},
            "training superres(scales=(2, 2)): it learns scales 2 and 4, each once.",
        ),
        ("superres", {"scales": (3,)}, "training superres(scales=(3,)): it learns scales 2 and 4, each once."),
        ("superres", {"scales": ()}, "training superres(scales=()): it learns scales 2 and 4, each once."),
    ],
)
def test_data_and_options_that_will_not_do(build, name, options, sentence):
    with pytest.raises(ArtkitError) as caught:
        build(name, options)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("can", "training can(crop=40): pictures are 16, 32, 64, 128, 256, 512 px a side."),
        ("igan", "training igan(crop=40): pictures are 16, 32, 64, 128, 256 px a side."),
        ("stackgan", "training stackgan(crop=40): pictures are 32, 64, 128, 256, 512 px a side."),
    ],
)
def test_sides_that_no_network_has(build, name, sentence):
    with pytest.raises(ArtkitError) as caught:
        build(name, crop=40)
    assert str(caught.value) == sentence


BETAS = {
    "can": {"generator": (0.5, 0.999), "discriminator": (0.5, 0.999)},
    "cyclegan": {"generator": (0.5, 0.999), "discriminator": (0.5, 0.999)},
    "funit": {"generator": (0.0, 0.99), "discriminator": (0.0, 0.99)},
    "igan": {"generator": (0.5, 0.99), "discriminator": (0.0, 0.99)},
    "nextframe": {"predictor": (0.5, 0.99), "discriminator": (0.5, 0.99)},
    "pix2pix": {"generator": (0.5, 0.999), "discriminator": (0.5, 0.999)},
    "semgan": {"generator": (0.0, 0.99), "discriminator": (0.0, 0.99), "segmenter": (0.9, 0.99)},
    "spade": {"generator": (0.0, 0.99), "discriminator": (0.0, 0.99)},
    "stackgan": dict.fromkeys(("generator", "painter", "discriminator", "second_discriminator"), (0.0, 0.99)),
    "superres": {"x4": (0.9, 0.999), "discriminator_x4": (0.5, 0.999)},
    "touchup": {"artists": (0.5, 0.999), "discriminator": (0.5, 0.999)},
}
ADVERSARIAL = {"nextframe": {"adversarial": 1.0, "receptive_field": 16, "widths": (4,)}, "superres": {"matching": 1.0}}
SLOW = ("funit", "igan", "spade", "stackgan")  # what was worked out learns a tenth as fast
RATES = {("igan", "generator"): [1e-3, 1e-6], ("igan", "discriminator"): [5e-4]}  # there it stays nearly as it was


@pytest.mark.parametrize("name", GIVEN)
def test_optimisers_are_set_as_the_method_says(build, name):
    trainer = build(name, ADVERSARIAL.get(name))
    assert {key: one.param_groups[0]["betas"] for key, one in trainer.optimisers.items()} == BETAS[name]
    for key, optimiser in trainer.optimisers.items():
        rates = [group["lr"] for group in optimiser.param_groups]
        slow = name in SLOW and key in ("generator", "painter")
        assert rates == pytest.approx(RATES.get((name, key), [1e-3, 1e-4] if slow else [1e-3]))


def test_can_without_the_papers_loss_has_other_momenta(build):
    trainer = build("can", {"gan": "relativistic"})
    assert {one.param_groups[0]["betas"] for one in trainer.optimisers.values()} == {(0.0, 0.99)}


class Worked(Exception):
    """The start is worked out."""


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize(("step", "start", "worked"), [(0, "", True), (1, "", False), (0, "a model", False)])
def test_a_start_is_worked_out_before_the_first_step_alone_and_not_where_a_model_is_one(
    build, name, step, start, worked, monkeypatch
):
    def work():
        raise Worked

    trainer = build(name, start=start)
    trainer.step, trainer.work_out_start = step, work
    batch = batch_for(trainer)
    if worked:
        with pytest.raises(Worked):
            trainer.training_step(batch)
    else:
        assert all(torch.isfinite(loss) for loss in trainer.training_step(batch).values())


def watched(many):
    """Return the data, and the numbers of the samples that are loaded from now on."""
    data, seen = open_dataset(LOOKS.replace("count=6", f"count={many}"), "train"), []
    load = data.load
    data.load = lambda index, names: seen.append(index) or load(index, names)
    return data, seen


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize(("many", "start_from", "loaded"), [(6, 3, [0, 2, 5]), (6, 2, [0, 5]), (3, 9, [0, 1, 2])])
def test_a_start_is_worked_out_from_samples_evenly_spread(build, name, many, start_from, loaded):
    data, seen = watched(many)
    trainer = build(name, {"start_from": start_from}, data=data)
    seen.clear()
    trainer.work_out_start()
    assert seen == loaded


@pytest.mark.parametrize("name", SLOW)
def test_one_sample_works_nothing_out(build, name):
    data, seen = watched(6)
    for start_from in (1, 2):
        trainer = build(name, {"start_from": start_from}, data=data)
        before = copy.deepcopy(trainer.encoder.state_dict())
        seen.clear()
        trainer.work_out_start()
        same = all(torch.equal(value, before[key]) for key, value in trainer.encoder.state_dict().items())
        assert (len(seen), same) == ((0, True) if start_from == 1 else (2, False))


def test_words_are_those_of_captions_evenly_spread(build, monkeypatch):
    monkeypatch.setattr("artkit_stackgan.trainer.MOST_READ", 3)
    data, seen = watched(6)
    trainer = build("stackgan", data=data)
    assert seen == [0, 2, 5]
    assert len(trainer.vocabulary) > 3
    few = build("stackgan", {"most_words": 3}, data=data)
    assert len(few.vocabulary) == 3


def test_captions_without_a_word_in_common_teach_nothing(build, monkeypatch):
    monkeypatch.setattr("artkit_stackgan.trainer.MOST_READ", 1)
    with pytest.raises(ArtkitError) as caught:
        build("stackgan")
    assert str(caught.value) == ("training stackgan: the captions in 'caption' have no word that two of them share.")


STEPS = {
    "can": {"generator", "discriminator"},
    "cyclegan": {"generator", "discriminator"},
    "igan": {"generator", "discriminator"},
    "pix2pix": {"generator", "discriminator"},
    "semgan": {"generator", "discriminator", "segmenter"},
    "spade": {"generator", "discriminator"},
    "stackgan": {"generator", "discriminator"},
    "superres": {"x4", "discriminator_x4"},
    "touchup": {"artists", "discriminator"},
}


@pytest.mark.parametrize("name", STEPS)
def test_discriminators_take_no_gradients_while_others_learn(build, name):
    options = ADVERSARIAL.get(name, {}) | ({"warm_up": 0} if name in ("igan", "semgan") else {})
    trainer, learned = build(name, options), {}
    trainer.step = 1
    judges = {key: network for key, network in trainer.networks.items() if "discriminator" in key}
    used = {key: network for key, network in judges.items() if "second" not in key}

    def note(optimiser, *_):
        (key,) = (key for key, one in trainer.optimisers.items() if one is optimiser)
        asked = {weight.requires_grad for network in used.values() for weight in network.parameters()}
        learned.setdefault(key, set()).update(asked)

    for optimiser in trainer.optimisers.values():
        optimiser.register_step_pre_hook(note)
    trainer.training_step(batch_for(trainer))
    assert learned.keys() == STEPS[name]
    for key, asked in learned.items():
        if key != "segmenter":
            assert asked == {"discriminator" in key}


def test_what_a_step_of_one_stage_leaves_out_counts_nothing(build):
    losses = {
        "discriminator",
        "adversarial",
        "matching",
        "reading",
        "reconstruction",
        "prior",
        "kl",
        "lowpass",
        "contrast",
    }
    for step, idle in ((1, {"lowpass", "contrast"}), (9, {"reconstruction", "prior", "kl"})):
        trainer = build("stackgan", {"first": 0.5}, steps=10)
        trainer.step = step
        found = trainer.training_step(batch_for(trainer))
        assert found.keys() == losses
        assert {name for name, loss in found.items() if not loss.any()} == idle


@pytest.mark.parametrize(
    ("name", "options", "losses"),
    [
        ("pix2pix", {"lowpass": 0.0, "matching": 0.0}, {"discriminator", "adversarial", "l1"}),
        ("pix2pix", {"lowpass": 1.0, "matching": 1.0}, {"discriminator", "adversarial", "l1", "lowpass", "matching"}),
        ("touchup", {"contrast": 0.0, "adversarial": 0.0}, {"additive", "subtractive", "lowpass"}),
        (
            "touchup",
            {"contrast": 1.0, "adversarial": 1.0},
            {"additive", "subtractive", "lowpass", "contrast", "adversarial", "discriminator"},
        ),
        ("superres", {"texture": 0.0, "adversarial": 0.0, "matching": 0.0}, {"mse_x4"}),
        (
            "superres",
            {"pixel": "l1", "texture": 1.0, "adversarial": 0.0, "matching": 1.0},
            {"l1_x4", "texture_x4", "discriminator_x4", "adversarial_x4", "matching_x4"},
        ),
        ("semgan", {"parts": "segment"}, {"segmentation"}),
        ("semgan", {"parts": "generate", "warm_up": 9}, {"reconstruction", "kl"}),
        (
            "semgan",
            {"parts": "generate", "warm_up": 1},
            {"reconstruction", "kl", "adversarial", "shares", "discriminator"},
        ),
        (
            "semgan",
            {"parts": "generate", "warm_up": 9, "reconstruction": 0.0},
            {"adversarial", "shares", "discriminator"},
        ),
        ("cyclegan", {"identity": 0.0}, set()),
        ("cyclegan", {"identity": 0.5}, {"identity_a", "identity_b"}),
    ],
)
def test_losses_without_a_weight_are_not_computed(build, name, options, losses):
    trainer = build(name, options)
    trainer.step = 1
    if name == "cyclegan":
        losses = losses | {f"{what}_{side}" for what in ("adversarial", "cycle", "discriminator") for side in "ab"}
        losses = losses | {"correlation_a", "correlation_b"}
    assert trainer.training_step(batch_for(trainer)).keys() == losses


def test_a_pool_and_a_guard_come_along_with_a_checkpoint(build):
    one, other = build("cyclegan"), build("cyclegan")
    one.training_step(batch_for(one))
    state = one.extra_state()
    assert state.keys() == {"pools", "guard"}
    other.load_extra_state(copy.deepcopy(state))
    for side in "ab":
        assert len(other.pools[side].images) == 2
        assert all(map(torch.equal, one.pools[side].images, other.pools[side].images))
    assert other.guard.state() == one.guard.state() != build("cyclegan").guard.state()
    assert build("cyclegan", {"pool": 7}).pools["a"].size == 7


def test_shares_come_along_with_a_checkpoint(build):
    one, other = build("semgan", {"warm_up": 0}), build("semgan")
    one.training_step(batch_for(one))
    state = one.extra_state()
    assert state.keys() == {"shares", "kept", "arguments"}
    other.load_extra_state(state)
    assert other.arguments == one.arguments
    assert torch.equal(other.share_loss.real, one.share_loss.real)
    assert one.share_loss.real.any()


@pytest.mark.parametrize(
    ("name", "options", "multiple"),
    [
        ("cyclegan", {}, 4),
        ("nextframe", {"adversarial": 1.0}, 4),
        ("pix2pix", {}, 4),
        ("spade", {}, 4),
        ("touchup", {}, 4),
        ("superres", {}, 8),
    ],
)
def test_crops_are_as_large_as_the_discriminator_needs(build, name, options, multiple):
    """Two scales of 70 px: at the coarser one, 3 x 2^3 px of a picture half as large."""
    wide = {"receptive_field": 70, "widths": (4, 4)}
    assert build(name, options | wide, crop=48).settings.crop == 48
    with pytest.raises(ArtkitError) as caught:
        build(name, options | wide, crop=40)
    assert str(caught.value) == f"crop=40 does not fit the networks: try 48, or another multiple of {multiple}."
    if name == "nextframe":
        assert build(name, wide, crop=40).settings.crop == 40  # without one, whatever the predictor takes
