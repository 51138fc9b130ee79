"""SemGAN: dreams and readings keep to the palette, the seed and the size; both parts train, resume and export."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, ClassSet, Kind, LabelClass, ModelError, ModelHeader, OptionError, Step
from artkit.images import nearest_palette, one_hot, paint_labels, read_picture
from artkit.metrics import evaluate
from artkit.models.file import load_model, save_model
from artkit.nn import compress_jpeg
from artkit.testing import check_spec
from artkit.training import train
from artkit_semgan import SPEC, SemganOptions
from artkit_semgan.damage import add_noise, blur, damage, rescale, tint
from artkit_semgan.losses import ShareLoss
from artkit_semgan.shares import argmax_shares, calibrate, cell_shares
from artkit_semgan.trainer import SemganTrainer
from artkit_semgan.translator import Semgan, agree_by_colour, few_colours

CLASSES = ClassSet(
    "three",
    (LabelClass("sky", (110, 170, 220)), LabelClass("grass", (140, 190, 80)), LabelClass("house", (180, 80, 60))),
)
PARTS = {
    "generator": {"latent": 8, "width": 4, "resolution": 32},
    "segmenter": {"width": 8, "dilations": (1, 2)},
}
TINY = {
    "latent": 4, "width": 4, "discriminator_width": 4, "resolution": 32, "segmenter_width": 8,
    "segmenter_dilations": (1,), "patches": 2, "patch": 16, "warm_up": 2, "steps": 6, "batch": 3, "crop": 48,
    "learning_rate": 1e-3, "ema": 0.9, "sample_every": 3, "checkpoint_every": 3, "precision": "fp32",
}  # fmt: skip


def translator(parts=("generator", "segmenter"), **options):
    torch.manual_seed(0)
    head = ModelHeader(
        method="semgan",
        architecture="semgan",
        arguments={part: PARTS[part] for part in parts},
        inputs={"image": Kind.IMAGE},
        output=Kind.LABELS,
        classes=CLASSES,
        size_multiple=2,
    )
    model = Semgan(SemganOptions(**options), head).eval()
    for weight in [] if model.generator is None else model.generator.parameters():
        torch.nn.init.normal_(weight, std=0.5)  # as torch draws them, one class would win everywhere
    return model


def dream(model, *seeds, size=(24, 40)):
    return model.run({"image": None}, seeds=seeds, size=size)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    root = tmp_path_factory.mktemp("maps")
    (root / "classes.txt").write_text("0 sky 110 170 220\n1 grass 140 190 80\n2 house 180 80 60\n")
    chance = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        (root / split / "label").mkdir(parents=True)
        for index in range(count):
            labels = np.zeros((48, 64), np.uint8)
            labels[chance.integers(20, 40) :] = 1
            labels[30:38, 10:20] = 2
            Image.fromarray(np.array(CLASSES.colours, np.uint8)[labels]).save(root / split / "label" / f"{index}.png")
    return root


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)
    assert SPEC.is_source


def test_dreams_follow_the_seed_whatever_the_batch():
    model = translator()
    both = dream(model, 3, 4)
    assert both.shape == (2, 24, 40)
    assert torch.equal(both[1:], dream(model, 4))
    assert torch.equal(both, dream(model, 3, 4))
    assert not torch.equal(both[0], both[1])


def test_readings_do_not_depend_on_the_batch():
    model, images = translator(), torch.rand(3, 3, 20, 28)
    together = model.run({"image": images}, seeds=(0, 0, 0), size=(20, 28))
    alone = [model.run({"image": image[None]}, seeds=(9,), size=(20, 28)) for image in images]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (33, 5), (100, 70)])
def test_any_size(size):
    model = translator()
    assert dream(model, 1, size=size).shape == (1, *size)
    assert model.run({"image": torch.rand(1, 3, *size)}, seeds=(1,), size=size).shape == (1, *size)


def test_dreams_of_one_seed_are_one_scene_at_any_size():
    small, large = (dream(translator(), 7, size=(side, side)) for side in (64, 192))
    assert (large[:, 1::3, 1::3] == small).float().mean() > 0.95


def test_temperature_spreads_dreams():
    assert torch.equal(dream(translator(temperature=0), 1), dream(translator(temperature=0), 2))
    assert not torch.equal(dream(translator(temperature=3), 1), dream(translator(temperature=0), 1))


def test_a_colour_is_read_as_one_class_where_colours_are_few():
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(3, (9, 14), generator=generator)
    colours = torch.tensor([[0.2, 0.5, 0.9], [0.7, 0.7, 0.1], [0.2, 0.5, 0.8]])
    picture = colours[places].movedim(-1, 0)[None]
    logits = torch.randn(1, 4, 9, 14, generator=generator)
    agreed = agree_by_colour(logits, few_colours(picture, most=3))
    for place in range(3):
        of_colour = logits[0, :, places == place].log_softmax(0).sum(1)
        assert torch.allclose(agreed[0, :, places == place], of_colour[:, None], atol=1e-4)
    assert few_colours(picture, most=2) is None


def test_an_exact_map_keeps_no_class_that_was_not_asked_for():
    labels = torch.tensor([[[0, 1], [2, 1]]]).repeat_interleave(8, 1).repeat_interleave(8, 2)
    image = paint_labels(labels, CLASSES)
    read = lambda **options: translator(**options).run({"image": image}, seeds=(0,), size=(16, 16))  # noqa: E731
    assert torch.equal(read(), labels)
    found = read(classes="grass, house")
    assert set(found.unique().tolist()) <= {1, 2}
    assert all(len(found[labels == index].unique()) == 1 for index in range(3))


def test_only_the_classes_asked_for():
    model = translator(classes="sky, house")
    image = torch.rand(1, 3, 16, 16)
    assert set(model.run({"image": image}, seeds=(0,), size=(16, 16)).unique().tolist()) <= {0, 2}
    assert set(dream(translator(classes="grass"), 5).unique().tolist()) == {1}
    with pytest.raises(OptionError, match="'grass'"):
        translator(classes="gras")


def test_a_model_with_one_part_says_what_it_lacks():
    with pytest.raises(ModelError, match="only segments"):
        dream(translator(parts=("segmenter",)), 1)
    with pytest.raises(ModelError, match="only dreams"):
        translator(parts=("generator",)).run({"image": torch.rand(1, 3, 8, 8)}, seeds=(1,), size=(8, 8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator": PARTS["generator"] | {"latent": 0}}, "latent"),
        ({"segmenter": PARTS["segmenter"] | {"dilations": [1, 10**6]}}, "dilations"),
        ({"reader": PARTS["segmenter"]}, "reader"),
    ],
)
def test_a_header_is_checked_before_anything_is_built(arguments, message):
    header = msgspec.structs.replace(translator().header, arguments=arguments)
    with pytest.raises(ModelError, match=message):
        Semgan(SemganOptions(), header)


def test_a_tint_does_not_change_what_the_segmenter_sees_of_shares():
    segmenter = translator().segmenter
    image = paint_labels(torch.tensor([[[0, 0], [1, 2]]]), CLASSES)
    survey = segmenter.survey(image, segmenter.measure(image))[0]
    assert torch.allclose(survey[:3], torch.tensor([0.5, 0.25, 0.25]), atol=0.02)
    assert survey[3:].abs().max() < 0.1
    redder = (image + torch.tensor([0.02, 0, 0])[:, None, None]).clamp(0, 1)
    errors = segmenter.survey(redder, segmenter.measure(redder))[0, 3:].unflatten(0, (3, 3))
    assert errors[0, 0] == pytest.approx(8 * 0.02, rel=0.2)


@pytest.mark.parametrize("size", [(32, 32), (48, 64), (33, 50)])
def test_cells_hold_the_share_of_each_class(size):
    labels = torch.randint(0, 3, (2, *size), generator=torch.Generator().manual_seed(1))
    shares = cell_shares(labels, 3, 16)
    assert shares.shape == (2, 3, 16, 16)
    assert torch.allclose(shares.sum(1), torch.ones(2, 16, 16))
    if size == (32, 32):
        assert torch.equal(shares, torch.nn.functional.avg_pool2d(one_hot(labels, 3), 2))


def test_running_shares_are_zero_apart_for_equal_worlds_and_pull_dreams_together():
    real = one_hot(torch.tensor([[[0, 0], [1, 2]]]), 3)
    shares = ShareLoss(3)
    assert float(shares(real, real)) == 0
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    shares(real, logits.softmax(1)).backward()
    assert float(logits.grad[:, 0].sum()) < 0 < float(logits.grad[:, 1].sum())


def test_a_model_of_colours_dreams_pictures(tmp_path):
    values = {**TINY, "parts": "generate", "colours": True}
    model = load_model(train("semgan", "landscapes(count=10,size=[48,48])", tmp_path / "run", values=values))
    assert (model.header.output, dict(model.header.inputs)) == (Kind.IMAGE, {})
    assert SemganTrainer.options_of(model) == {
        "latent": 4, "width": 4, "resolution": 32, "colours": True, "parts": "generate",
    }  # fmt: skip
    chain = Chain(f"semgan(model={str(tmp_path / 'run' / 'model.safetensors')!r})")
    picture = chain(seed=3, size=(40, 24))
    assert (picture.kind, tuple(picture.tensor.shape)) == (Kind.IMAGE, (1, 3, 24, 40))
    assert len(picture.tensor[0].flatten(1).T.unique(dim=0)) > 12
    found = evaluate("landscapes(count=10,size=[48,48])", chain, ["off_palette"], target="label", limit=1)
    assert (found.source, found.scores["off_palette"] > 0.5) == ("", True)
    with pytest.raises(OptionError, match="this model dreams colours, not classes: leave classes out"):
        Chain([Step("semgan", {**chain[0].options, "classes": "sky"})])(size=(32, 32))
    told = "training semgan(colours=true): colours are generated alone: add parts=generate."
    with pytest.raises(OptionError, match=f"^{re.escape(told)}$"):
        train("semgan", "landscapes(count=10,size=[48,48])", tmp_path / "other", values={**TINY, "colours": True})


def test_dreams_of_classes_are_painted_for_scores_of_pictures():
    found = evaluate(
        "landscapes(count=10,size=[32,32])", "semgan", ["off_palette", "class_distance"], source="label", target="label"
    )
    assert found.scores == {"off_palette": 0, "class_distance": 0}


def test_calibration_gives_dreams_the_shares_of_the_world():
    generator, world = translator().generator, torch.tensor([0.5, 0.3, 0.2])
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    settled = calibrate(generator, world)
    fresh = torch.randn(200, 8, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        assert torch.allclose(argmax_shares(settled(fresh)), world, atol=0.05)
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())


def test_damage_follows_the_random_state_and_keeps_flat_colour():
    flat = torch.full((3, 24, 24), 0.5)
    assert torch.allclose(blur(flat, 2.0), flat, atol=1e-5)
    assert torch.allclose(rescale(flat, 0.5), flat, atol=1e-5)
    assert torch.allclose(compress_jpeg(flat, 30), flat, atol=0.02)
    images = torch.rand(6, 3, 24, 20)
    torch.manual_seed(1)
    first = damage(images)
    torch.manual_seed(1)
    assert torch.equal(first, damage(images))
    assert first.shape == images.shape
    assert 0 <= float(first.min()) <= float(first.max()) <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parts": "generate", "fakes": "gumbel", "gan": "hinge", "reconstruction": 0.0, "shares": 0.0},
        {"parts": "segment"},
    ],
)
def test_stopping_and_resuming_changes_nothing(maps, tmp_path, changes, monkeypatch):
    whole = train("semgan", str(maps), tmp_path / "whole", values=TINY | changes)
    from artkit.training.loop import Loop

    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        self._stop = self.step == 3
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        train("semgan", str(maps), tmp_path / "half", values=TINY | changes)
    monkeypatch.undo()
    half = train("semgan", str(maps), tmp_path / "half", values=TINY | changes, resume=True)
    assert half.read_bytes() == whole.read_bytes()
    parts = {"generate": {"generator"}, "segment": {"segmenter"}}.get(changes.get("parts"), {"generator", "segmenter"})
    assert {name.split(".")[0] for name in load_model(whole).tensors} == parts


def test_a_trained_model_reads_and_dreams_in_a_chain(maps, tmp_path):
    model = train("semgan", str(maps), tmp_path / "run", values=TINY)
    chain = Chain(f"semgan(model={str(model)!r})")
    assert chain(seed=1, size=(30, 20)).size == (20, 30)
    assert chain(np.full((9, 11, 3), 128, np.uint8)).classes.names == ("sky", "grass", "house")


def test_pictures_cannot_teach_maps(tmp_path):
    for column in ("A", "B"):
        (tmp_path / column).mkdir()
        for index in range(12):
            Image.new("RGB", (32, 32)).save(tmp_path / column / f"{index}.png")
    with pytest.raises(OptionError, match="no label maps"):
        train("semgan", str(tmp_path), tmp_path / "run", values=TINY | {"labels": "A"})


def test_the_landscape_model_dreams_varied_landscapes():
    dreams = [Chain("semgan")(seed=seed, size=(48, 32)) for seed in range(12)]
    labels = torch.cat([picture.tensor for picture in dreams])
    assert len({dreamt.numpy().tobytes() for dreamt in labels}) == 12
    above, below = labels[:, :8], labels[:, -8:]
    assert (above <= 5).float().mean() > 0.9  # sky, cloud, sun, mountain, hill, tree
    assert (below >= 5).float().mean() > 0.9  # tree, grass, water, sand, rock, house, path


@pytest.mark.parametrize(
    ("spoil", "least"),
    [
        (lambda image: image, 0.999),
        (lambda image: compress_jpeg(image, 30), 0.985),
        (lambda image: blur(image, 2.0), 0.97),
        (lambda image: add_noise(image, 25 / 255), 0.98),
        (lambda image: rescale(image, 0.5), 0.985),
        (lambda image: tint(image, torch.tensor([1.08, 0.98, 0.86]), 1.1), 0.9999),
    ],
    ids=["clean", "jpeg", "blur", "noise", "resize", "tint"],
)
def test_the_landscape_model_reads_damaged_drawings(spoil, least):
    drawing = read_picture(Path(__file__).parents[1] / "examples" / "semantic.png").tensor[..., 150:342, 60:316]
    torch.manual_seed(0)
    spoilt = spoil(drawing[0])[None]
    read = Chain("semgan")(spoilt)
    truth = nearest_palette(drawing, read.classes)
    accuracy = (read.tensor == truth).float().mean()
    assert accuracy > least
    assert accuracy >= (nearest_palette(spoilt, read.classes) == truth).float().mean()


def test_a_segmenter_trains_on_and_what_is_not_trained_goes_along(maps, tmp_path):
    sizes = {"segmenter_width", "segmenter_dilations", "latent", "width", "resolution"}
    both = train("semgan", str(maps), tmp_path / "both", values=TINY)
    more = {name: value for name, value in TINY.items() if name not in sizes} | {"parts": "segment", "start": str(both)}
    still = train("semgan", str(maps), tmp_path / "still", values=more | {"learning_rate": 1e-12, "steps": 1, "ema": 0})
    first, second = load_model(both), load_model(still)
    assert second.header.arguments == first.header.arguments
    assert second.tensors.keys() == first.tensors.keys()
    for name, tensor in second.tensors.items():
        torch.testing.assert_close(tensor.float(), first.tensors[name].float(), rtol=0, atol=1e-6)

    whole = train("semgan", str(maps), tmp_path / "whole", values=more | {"decay_from": 1.0})
    train("semgan", str(maps), tmp_path / "halves", values=more | {"decay_from": 1.0, "steps": 3})
    resumed = train("semgan", "", tmp_path / "halves", values={"steps": 6}, resume=True)
    assert resumed.read_bytes() == whole.read_bytes()
    assert torch.equal(load_model(whole).tensors["generator.dense.weight"], first.tensors["generator.dense.weight"])
    segmenter = "segmenter.enter.weight"
    assert not torch.equal(load_model(whole).tensors[segmenter], first.tensors[segmenter])


def test_nothing_goes_along_from_a_model_of_other_classes(maps, tmp_path):
    start = train("semgan", str(maps), tmp_path / "start", values=TINY | {"steps": 1})
    model = load_model(start)
    others = ClassSet("others", (*CLASSES.classes[:2], LabelClass("barn", (180, 80, 60))))
    save_model(start, msgspec.structs.replace(model.header, classes=others), model.tensors)
    values = TINY | {"parts": "segment", "start": str(start), "steps": 1}
    assert load_model(train("semgan", str(maps), tmp_path / "run", values=values)).header.arguments.keys() == {
        "segmenter"
    }


@pytest.mark.parametrize(("spoil", "told"), [
    (lambda tensors: tensors | {"generator.dense.weight": torch.zeros(3, 3)}, "misshaped: generator|misshaped: dense"),
    (lambda tensors: {key: value for key, value in tensors.items() if "generator" not in key}, "missing: dense.weight"),
    (lambda tensors: tensors | {"generator.extra": torch.zeros(2)}, "unexpected: extra"),
])  # fmt: skip
def test_a_start_whose_other_part_is_broken_is_named(maps, tmp_path, spoil, told):
    start = train("semgan", str(maps), tmp_path / "start", values=TINY | {"steps": 1})
    model = load_model(start)
    save_model(start, model.header, spoil(model.tensors))
    with pytest.raises(ModelError, match=f"model.safetensors does not fit.*({told})"):
        train("semgan", str(maps), tmp_path / "run", values=TINY | {"parts": "segment", "start": str(start)})
