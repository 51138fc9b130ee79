"""Parts of trainers by themselves: touchup's base, whose style a picture shows, which maps are flipped."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from artkit.data import open_dataset
from artkit.errors import ArtkitError
from artkit.images import Picture
from artkit.nn import Conditions
from artkit.plugins import current_registry
from artkit.spec import Kind
from artkit.training import Settings
from artkit.training.scoring import make_scoring
from artkit_funit import trainer as funit
from artkit_semgan import trainer as semgan
from artkit_spade.trainer import SpadeTrainer, encode_words
from artkit_touchup import trainer as touchup
from artkit_touchup.trainer import Base
from test_trainers import GIVEN, LOOKS, clip
from test_trainers_steps import TEXTS, batch_for, build

__all__ = ["build", "clip"]


def test_a_base_has_seen_what_a_model_of_its_chain_was_trained_on():
    def step(**training):
        return SimpleNamespace(header=SimpleNamespace(training=training) if training else None)

    def seen(*steps):
        return Base.has_seen(SimpleNamespace(plan=SimpleNamespace(steps=steps)), "lakes")

    assert seen(step(), step(data="lakes"))
    assert not seen(step(), step(data="hills"), step(steps=9))


def test_a_base_runs_where_and_how_training_does(build, monkeypatch):
    made, runner = [], touchup.Runner
    monkeypatch.setattr(touchup, "Runner", lambda plan, **how: made.append(how) or runner(plan, **how))
    build("touchup", precision="bf16", device="cpu")
    assert made == [{"device": "cpu", "precision": "bf16"}]


def test_a_base_makes_pictures_of_the_size_of_their_targets(build, monkeypatch):
    trainer, data = build("touchup"), open_dataset(LOOKS, "train")
    sample, asked = data.load(0, list(trainer.columns)), []
    result = SimpleNamespace(picture=Picture(torch.full((1, 3, 5, 7), 0.5)))
    monkeypatch.setattr(trainer.base.runner, "run", lambda picture, **how: asked.append((picture, how)) or [result])
    with pytest.raises(ArtkitError) as caught:
        trainer.base.paint(sample, "photo", 3)
    assert str(caught.value) == (
        "the base invert makes 7x5 pixels where 'photo' has 32x32: give a base that keeps the size."
    )
    ((picture, how),) = asked
    assert (picture.kind, how["seed"]) == (Kind.LABELS, 3)
    assert how["facts"] == {name: sample[name] for name in TEXTS}
    result.picture = Picture(torch.full((1, 3, 32, 32), 0.5))
    painted = trainer.base.paint(sample, "photo", 3)
    assert (painted.dtype, painted.unique().tolist()) == (torch.uint8, [128])


def test_a_base_ends_in_a_picture_or_a_label_map(monkeypatch):
    for kind in (Kind.IMAGE, Kind.LABELS, Kind.MASK):
        monkeypatch.setattr(touchup, "plan_chain", lambda *_, kind=kind, **__: SimpleNamespace(output=kind))
        if kind is Kind.MASK:
            with pytest.raises(ArtkitError) as caught:
                touchup.plan_base("invert")
            assert str(caught.value) == "training touchup(base=invert): the chain gives mask, not a picture."
        else:
            assert touchup.plan_base("invert").output is kind


@pytest.mark.parametrize(("share", "chance", "own"), [(0.0, 0.0, False), (0.3, 0.29, True), (0.3, 0.3, False)])
def test_a_picture_shows_its_own_style_below_its_share_of_chance(build, monkeypatch, share, chance, own):
    trainer = build("spade", {"own_style": share})
    x, batch = torch.zeros(2, 3, 4, 4), {"partner": torch.ones(2, 3, 4, 4)}
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.full(shape, chance))
    assert torch.equal(trainer._choose_style(batch, x), x if own else torch.ones(2, 3, 4, 4))
    alone = build("spade", {"own_style": share, "partner": "painting"})
    assert alone._choose_style({}, x) is x


@pytest.mark.parametrize(("share", "chance", "words"), [(0.0, 0.0, False), (0.5, 0.49, True), (0.5, 0.5, False)])
def test_words_tell_the_style_below_their_share_of_chance(build, monkeypatch, share, chance, words):
    trainer = build("spade", {"told": share})
    shown, said = torch.zeros(2, 48), torch.ones(2, 48)
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.full(shape, chance))
    assert torch.equal(trainer._choose_code(shown, said), said if words else shown)
    trainer.conditions = Conditions({})
    assert trainer._choose_code(shown, said) is shown


@pytest.mark.parametrize(("chance", "flipped"), [(0.49, True), (0.5, False)])
def test_half_of_the_maps_are_flipped(chance, flipped, monkeypatch):
    labels = torch.arange(6).view(1, 2, 3)
    monkeypatch.setattr(torch, "rand", lambda *shape, device: torch.full(shape, chance))
    assert torch.equal(semgan.mirror_some(labels), labels.flip(2) if flipped else labels)


def test_dreams_settle_where_their_generator_is(build):
    trainer = build("can")
    with torch.device("meta"):
        settled = trainer._settled()
    assert {weight.device.type for weight in settled.state_dict().values()} == {"cpu"}


LOSSES = {"discriminator", "adversarial", "matching", "reading", "reconstruction", "prior", "kl", "lowpass", "contrast"}


def test_both_stages_tell_of_the_same_losses(build):
    trainer = build("stackgan", steps=4)
    for step in (0, trainer.first_steps):
        trainer.step = step
        assert trainer.training_step(batch_for(trainer)).keys() == LOSSES


@pytest.mark.parametrize(
    ("columns", "compared"),
    [
        (("label", "photo", "time"), ("label", "photo")),
        (("photo", "painting"), ("photo", "painting")),
        (("photo",), (None, None)),
        (("time", "photo"), (None, None)),
        (("photo", "label"), (None, None)),
        (("photo", "none"), (None, None)),
    ],
)
def test_what_is_compared_are_the_columns_of_pairs_else_what_evaluate_takes(columns, compared):
    spec = current_registry().method("pix2pix")
    settings = Settings(best="psnr, ssim")
    found = make_scoring(spec, LOOKS, settings, open_dataset(LOOKS, "train"), columns)
    assert (found.source, found.target) == compared
    assert (found.method, found.data, found.settings) == ("pix2pix", LOOKS, settings)
    assert [metric.name for metric in found.metrics] == ["psnr", "ssim"]


@pytest.mark.parametrize("name", sorted(GIVEN.keys() - {"nextframe", "semgan", "stackgan"}))  # two cut squares at once
def test_what_is_made_of_a_sample_has_its_size_where_that_is_no_square(build, name):
    data = open_dataset(LOOKS.replace("[32,32]", "[40,32]"), "train")
    trainer = build(name, data=data)
    sample = data.load(0, trainer.columns)
    prepared = trainer.prepare(dict(sample))
    sizes = {key: tuple(value.shape[-2:]) for key, value in prepared.items() if torch.is_tensor(value)}
    assert sizes
    assert set(sizes.values()) == {tuple(next(filter(torch.is_tensor, sample.values())).shape[-2:])} != {(32, 32)}


class Nine:
    """Nine pictures, of which it is noted which are read."""

    def __init__(self):
        self.read = []

    def __len__(self):
        return 9

    def load(self, index, columns):
        self.read.append(index)
        return {name: torch.zeros(3, 32, 32, dtype=torch.uint8) for name in columns}


@pytest.mark.parametrize(("count", "read"), [(1, []), (2, [0, 8]), (3, [0, 4, 8]), (99, list(range(9)))])
def test_codes_are_worked_out_of_pictures_evenly_spread(build, monkeypatch, count, read):
    trainer = build("funit", {"start_from": count})
    trainer.dataset = Nine()
    monkeypatch.setattr(funit, "fit_codes", lambda encoder, pictures: None)
    trainer.work_out_start()
    assert trainer.dataset.read == read


def test_data_without_conditions_are_in_no_known_look():
    words = SpadeTrainer._encode_words(SimpleNamespace(conditions=None), {}, torch.zeros(2, 3, 4, 4))
    assert torch.equal(words, encode_words(torch.zeros(2, 0)))
    assert words.shape == (2, 1)
