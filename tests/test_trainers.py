"""What every trainer shows of itself, writes into a model, and takes over from one that a run starts from."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from artkit.data import Batches, open_dataset
from artkit.images import one_hot, paint_labels, resize_image, resize_labels
from artkit.models import Model
from artkit.plugins import load_registry, resolve, use_registry
from artkit.spec import Kind, parse_options
from artkit.training import Settings
from artkit_semgan.damage import damage
from objectives import enliven

LOOKS = "landscapes(count=6,size=[32,32],lights=any,styles=[ink,photo],partner=true)"
CLASSES = open_dataset(LOOKS, "train").columns["label"].classes
TIMES, WEATHER = ("morning", "noon", "golden", "dusk"), ("clear", "cloudy", "overcast", "misty")
TRUNK = {"width": 8, "blocks": 1, "detail": (4, 5)}
GIVEN = {
    "can": {"latent": 4, "width": 4, "discriminator_width": 6, "upsample": "resize", "ambiguity": 0.5},
    "cyclegan": {"source": "photo", "target": ("painting",), "network": "painter", **TRUNK, "norm": "batch"},
    "funit": {"picture": "painting", "content": "photo", **TRUNK, "code": 6, "class_width": 4, "start_from": 4},
    "igan": {"picture": "photo", "latent": 5, "width": 4, "discriminator_width": 6, "start_from": 4},
    "nextframe": {"network": "pgn", **TRUNK},
    "pix2pix": {"network": "subpixel", **TRUNK, "target": "photo", "noise": "strokes", "heights": True, "norm": "none"}
    | {"conditions": ("time",), "default_conditions": ("noon",)},
    "semgan": {"latent": 5, "width": 2, "discriminator_width": 3, "resolution": 32}
    | {"segmenter_width": 4, "segmenter_dilations": (1, 2)},
    "spade": {"target": "painting", **TRUNK, "code": 6, "encoder_width": 4, "start_from": 4},
    "stackgan": {"latent": 6, "embedding": 7, "width": 4, "painter_width": 8, "blocks": 1, "detail": (4, 5)}
    | {"discriminator_width": 4},
    "superres": {"sources": ("photo",), "scales": (4,), "network": "rrdb", "width": 8, "blocks": 1},
    "touchup": {"base": "invert", "source": "label", "target": "photo", **TRUNK, "widths": (4,)},
}
IMAGE, LABELS = Kind.IMAGE, Kind.LABELS
PIXELS = {"size_multiple": 4, "size_minimum": 4, "size_margin": 16}
HEADERS = {  # all that is not a header's default, but for the arguments
    "can": {"inputs": {}, "architecture": "can", "size_multiple": 2, "size_margin": 8, "training": {"ambiguity": 0.5}},
    "cyclegan": {"architecture": "painter", **PIXELS},
    "funit": {"architecture": "funit", "inputs": {"image": IMAGE, "style": IMAGE}, **PIXELS},
    "igan": {"architecture": "components"},
    "nextframe": {"architecture": "pgn", **PIXELS},
    "pix2pix": {"architecture": "subpixel", "inputs": {"image": LABELS}, "conditions": {"time": TIMES}, **PIXELS}
    | {"classes": CLASSES},
    "semgan": {"architecture": "semgan", "output": LABELS, "classes": CLASSES, "value_range": (0, 1)}
    | {"size_multiple": 2, "training": {"data": "landscapes", "steps": 10000, "seed": 0}},
    "spade": {"architecture": "tables", "inputs": {"labels": LABELS, "style": IMAGE}, "classes": CLASSES, **PIXELS}
    | {"conditions": {"time": TIMES, "weather": WEATHER, "style": ("ink", "photo")}},
    "stackgan": {"architecture": "stages", "inputs": {}, "classes": CLASSES, "size_multiple": 4, "size_minimum": 4},
    "superres": {"architecture": "rrdb", "value_range": (0, 1)},
    "touchup": {"architecture": "subpixel", "size_multiple": 4, "size_margin": 16, "training": {"base": "invert"}},
}
PAINTER = {"upsample": "resize", "condition_channels": 0, "out_channels": 3, **TRUNK}
ARGUMENTS = {  # those that a model file must say, or another network would be built
    "can": {"generator": {"latent": 4, "width": 4, "resolution": 32, "upsample": "resize", "strokes": False}}
    | {"classifier": {"width": 6, "resolution": 32, "norm": "batch"}, "styles": list(TIMES), "style_form": "sigmoid"},
    "cyclegan": {"generator": {"network": "painter", "in_channels": 3, **PAINTER, "norm": "batch"}}
    | {"directions": ["AtoB", "BtoA"]},
    "funit": {"generator": {"network": "funit", "noise": "strokes", **TRUNK, "code": 6, "class_width": 4}},
    "igan": {"networks": {"network": "components", "latent": 5, "side": 32, "width": 4}},
    "nextframe": {"predictor": {"network": "pgn", **TRUNK}},
    "pix2pix": {
        "generator": {"network": "subpixel", "in_channels": 24, **PAINTER, "condition_channels": 4, "norm": "none"}
        | {"residual": False},
        "noise": "strokes",
        "heights": True,
        "default_conditions": {"time": "noon"},
    },
    "semgan": {
        "generator": {"latent": 5, "width": 2, "resolution": 32},
        "segmenter": {"width": 4, "dilations": [1, 2]},
    },
    "spade": {"generator": {"network": "tables", "classes": 12, "noise": "strokes", **TRUNK, "code": 6}}
    | {"default_conditions": {"time": "morning", "weather": "clear", "style": "ink"}},
    "superres": {"networks": [{"network": "rrdb", "width": 8, "blocks": 1, "growth": 4, "doublings": 2}]},
    "stackgan": {"network": "stages", "classes": 12, "sketch": 8, "latent": 6, "embedding": 7, "width": 4}
    | {"painter_width": 8, "blocks": 1, "detail": (4, 5)},
    "touchup": {"network": "subpixel", "in_channels": 5, **PAINTER, "norm": "none", "residual": False},
}
MADE_OF = {  # what of GIVEN a model tells, and what it tells besides
    "cyclegan": ("network", "norm", *TRUNK, {"upsample": "resize", "channels": [3, 3]}),
    "funit": (*TRUNK, "code", "class_width", {"noise": "strokes", "encoder_blocks": 2}),
    "igan": ("latent", "width"),
    "nextframe": ("network", *TRUNK),
    "pix2pix": (
        *("network", "noise", "heights", "conditions", "default_conditions", "norm"),
        *(*TRUNK, {"upsample": "resize"}),
    ),
    "semgan": ("latent", "width", "resolution", "segmenter_width", "segmenter_dilations"),
    "spade": (*TRUNK, "code", "encoder_width", {"network": "tables", "noise": "strokes"}),
    "stackgan": ("latent", "embedding", "width", "painter_width", "blocks", "detail"),
    "superres": ("network", "width", "blocks", "scales"),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    (folder / "one" / "frame").mkdir(parents=True)
    for number in range(4):
        Image.fromarray(np.full((32, 32, 3), 9 * number, np.uint8)).save(folder / "one" / "frame" / f"{number}.png")
    return str(folder)


@pytest.fixture
def make(monkeypatch, clip):
    """Make the trainer of a method, its weights drawn, with averages that differ from them."""
    monkeypatch.setenv("ARTKIT_PLUGINS", ",".join(GIVEN) + ",atelier")
    registry = load_registry((Path(__file__).parent / "tiny_methods.py",))
    use_registry(registry)

    def one(name):
        spec = registry.method(name)
        torch.manual_seed(0)
        data = open_dataset(clip if name == "nextframe" else LOOKS, "train")
        options = parse_options(spec.training_options, GIVEN[name], name)
        trainer = resolve(spec.trainer, name)(options, Settings(batch=2, crop=32), data)
        trainer.averages = {part: copy.deepcopy(trainer.networks[part]) for part in trainer.averaged}
        enliven(trainer)
        for network in (*trainer.networks.values(), *trainer.averages.values()):
            network.eval()
        return trainer

    yield one
    use_registry(None)


def plain(value):
    """Return tables and lists as they lie in a file, without what was not asked for."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def within(some, whole):
    """Return `whole` without the entries of its tables that `some` does not name."""
    if isinstance(some, dict):
        return {name: within(some[name], value) for name, value in whole.items() if name in some}
    return [within(*pair) for pair in zip(some, whole, strict=True)] if isinstance(some, list) else whole


@pytest.mark.parametrize("name", GIVEN)
def test_a_model_says_what_it_is(make, name):
    trainer = make(name)
    header, tensors = trainer.export()
    expected = {"method": name, "inputs": {"image": IMAGE}, "output": IMAGE, "arguments": header.arguments}
    assert header == type(header)(**{**expected, **HEADERS[name]})
    asked = plain(ARGUMENTS[name])
    assert within(asked, plain(header.arguments)) == asked
    for part in trainer.averaged:
        assert any(key.startswith(f"{part}.") for key in tensors)


@pytest.mark.parametrize("name", MADE_OF)
def test_a_run_starts_with_the_options_of_its_model(make, name):
    trainer = make(name)
    header, tensors = trainer.export()
    expected = {}
    for one in MADE_OF[name]:
        expected |= one if isinstance(one, dict) else {one: GIVEN[name][one]}
    found = trainer.options_of(Model(header, tensors, Path("model.safetensors")))
    assert plain(found) == plain(expected)


@pytest.mark.parametrize("name", GIVEN)
def test_every_weight_is_some_optimisers(make, name):
    trainer = make(name)
    groups = [group for optimiser in trainer.optimisers.values() for group in optimiser.param_groups]
    learned = [id(weight) for group in groups for weight in group["params"]]
    trained = (network for part, network in trainer.networks.items() if part != "reader")  # fitted in closed form
    weights = {id(weight) for network in trained for weight in network.parameters()}
    assert sorted(learned) == sorted(weights)


@pytest.mark.parametrize("name", ["can", "igan", "touchup"])
def test_a_step_makes_nothing_elsewhere(make, name):
    trainer = make(name)
    trainer.step = 1
    batch = Batches(open_dataset(LOOKS, "train"), trainer.columns, size=2, crop=32, seed=0, prepare=trainer.prepare).at(
        0
    )
    with torch.device("meta"):  # as unlike where the batch lies as a GPU would be
        losses = trainer.training_step(batch)
    assert {loss.device.type for loss in losses.values()} == {"cpu"}


def picture(seed=0, channels=3):
    return torch.rand(2, channels, 37, 34, generator=torch.Generator().manual_seed(seed))


def labels():
    return torch.randint(12, (2, 37, 34), generator=torch.Generator().manual_seed(9))


def signed(image):
    return image * 2 - 1


def shown(made):
    return (made.float() + 1) / 2


def check_preview(trainer, batch, *expected):
    torch.manual_seed(3)
    with torch.no_grad():
        found = trainer.preview(batch)
    assert len(found) == len(expected)
    for given, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(given, wanted.to(given.dtype), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_pix2pix_shows_source_output_and_target(make):
    trainer = make("pix2pix")
    strokes = picture(2, 11)
    batch = {"label": labels(), "photo": picture(), "z": strokes, "heights": picture(3, 1), "time": ["dusk", "noon"]}
    cut = {name: value[..., :36, :32] for name, value in batch.items() if name != "time"}
    seen = torch.cat([one_hot(cut["label"], 12), cut["z"], cut["heights"]], 1)
    output = trainer.averages["generator"](seen, F.one_hot(torch.tensor([3, 1]), 4).float())
    check_preview(trainer, batch, paint_labels(cut["label"], CLASSES), shown(output), cut["photo"])


@torch.no_grad()
def test_cyclegan_shows_both_ways_and_back(make):
    trainer = make("cyclegan")
    batch = {"photo": picture(), "painting": picture(1), "z": picture(2, 22)}
    a, b, z = (value[..., :36, :32] for value in batch.values())
    there, back = (trainer.averages[name] for name in ("generator_a", "generator_b"))
    painted = there(torch.cat([signed(a), z], 1))
    expected = a, shown(painted), shown(back(painted)), b, shown(back(signed(b)))
    check_preview(trainer, batch, *expected)


@torch.no_grad()
def test_igan_shows_a_reconstruction_and_a_dream(make):
    trainer = make("igan")
    x = resize_image(picture(), (32, 32))
    generator, encoder = trainer.averages["generator"], trainer.averages["encoder"]
    torch.manual_seed(3)
    dream = generator(torch.randn(2, 5))
    check_preview(trainer, {"photo": picture()}, x, shown(generator(encoder(signed(x))[0])), shown(dream))


@torch.no_grad()
def test_nextframe_shows_the_last_frame_the_prediction_and_what_came(make):
    trainer = make("nextframe")
    batch = {name: picture(seed) for seed, name in enumerate(trainer.columns)}
    *seen, came = (frame[..., :36, :32] for frame in batch.values())
    predicted = trainer.averages["predictor"](signed(torch.stack(seen, 1)))
    check_preview(trainer, batch, seen[-1], shown(predicted), came)


@torch.no_grad()
def test_semgan_shows_a_map_a_dream_and_a_clean_up(make):
    trainer = make("semgan")
    painted = paint_labels(labels()[:, :36, :34], CLASSES)
    torch.manual_seed(3)
    dream = F.softmax(trainer.averages["generator"](torch.randn(2, 5)), 1)
    dream = F.interpolate(dream, size=(36, 34), mode="bilinear", antialias=True).argmax(1)
    damaged = damage(painted)
    cleaned = trainer.averages["segmenter"](damaged).argmax(1)
    expected = painted, paint_labels(dream, CLASSES), damaged, paint_labels(cleaned, CLASSES)
    check_preview(trainer, {"label": labels()}, *expected)


@torch.no_grad()
def test_superres_shows_bicubic_ours_and_the_original(make):
    trainer = make("superres")
    target = picture()[..., :36, :32]
    small = F.interpolate(target, scale_factor=1 / 4, mode="bicubic", antialias=True).clamp(0, 1).mul(255).round() / 255
    bicubic = F.interpolate(small, scale_factor=4, mode="bicubic", antialias=True)
    check_preview(trainer, {"photo": picture()}, bicubic, trainer.averages["x4"](small), target)


@torch.no_grad()
def test_touchup_shows_what_is_added_and_taken(make):
    trainer = make("touchup")
    batch = {"generated": picture(), "places": picture(1, 2), "photo": picture(2)}
    generated, places, photo = (one[..., :36, :32] for one in batch.values())
    added, taken = (trainer.averages[name](generated, places) for name in trainer.averaged)
    check_preview(trainer, batch, generated, added, taken, generated + added - taken, photo)


@torch.no_grad()
def test_spade_shows_map_style_both_ways_to_paint_it_and_the_target(make):
    trainer = make("spade")
    batch = {"label": labels(), "painting": picture(), "partner": picture(1), "z": picture(2, 11)}
    batch |= {"height": picture(3, 1), "time": ["dusk", "noon"], "weather": ["misty", "clear"]}
    batch |= {"style": ["ink", "photo"], "seed": ["1", "2"]}
    m, target, style, z, height = (value[..., :36, :32] for value in batch.values() if not isinstance(value, list))
    generator, encoder, words = (trainer.averages[name] for name in ("generator", "encoder", "words"))
    seen = torch.cat([one_hot(m, 12), signed(z), signed(height)], 1)
    spoken = trainer._encode_words(batch, target)
    codes = encoder(signed(style)), words(spoken)
    painted = (shown(generator(seen, code)) for code in codes)
    check_preview(trainer, batch, paint_labels(m, CLASSES), style, *painted, target)


@torch.no_grad()
@pytest.mark.parametrize("paired", [True, False])
def test_funit_shows_content_look_and_what_is_made_of_both(make, monkeypatch, paired):
    if not paired:
        monkeypatch.setitem(GIVEN, "funit", GIVEN["funit"] | {"content": "painting"})
    trainer = make("funit")
    batch = {"painting": picture(), "partner": picture(1), "photo": picture(3), "z": picture(2, 11)}
    target, partner, content, z = (value[..., :36, :32] for value in batch.values())
    content, style = (content, partner) if paired else (target, partner[[1, 0]])
    code = trainer.averages["encoder"](signed(style))
    made = shown(trainer.averages["generator"](signed(content), signed(z), code))
    check_preview(trainer, batch, content, style, made, *([target] if paired else []))


@torch.no_grad()
def test_stackgan_shows_a_layout_painted_and_a_dream_of_the_caption(make):
    trainer = make("stackgan")
    caption = ["the sea and a beach in the golden hour", "a lake below mountains"]
    m = one_hot(resize_labels(labels(), (32, 32)), 12)
    x = resize_image(picture(), (32, 32))
    spoken = trainer.vocabulary.encode(caption)
    said = torch.stack([torch.zeros(len(trainer.vocabulary)).index_fill(0, one[one > 0] - 1, 1) for one in spoken])
    text, generator, colours, painter = (trainer.averages[name] for name in ("text", "generator", "colours", "painter"))
    torch.manual_seed(3)
    mean, log_variance = text(spoken)
    dream = trainer.harden(generator(mean + (log_variance / 2).exp() * torch.randn_like(mean)))
    painted = [shown(painter(one, colours(one, said), torch.randn(2, 1, 32, 32), said)) for one in (m, dream)]
    batch = {"label": labels(), "photo": picture(), "caption": caption}
    check_preview(trainer, batch, x, painted[0], paint_labels(dream.argmax(1), CLASSES), painted[1])


@torch.no_grad()
def test_can_shows_a_picture_and_five_dreams(make):
    trainer = make("can")
    generator = trainer._settled()
    torch.manual_seed(3)
    dreams = [shown(generator(torch.randn(2, 4))) for _ in range(5)]
    real = F.interpolate(picture(), size=(32, 32), mode="bilinear", antialias=True)
    check_preview(trainer, {trainer.picture: picture()}, real, *dreams)
