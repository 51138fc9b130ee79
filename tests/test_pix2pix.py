"""pix2pix: every network trains, exports and runs; conditions, strokes and dropout follow their seeds."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, ClassSet, Kind, LabelClass, ModelError, ModelHeader, OptionError
from artkit.models.file import load_model, save_model
from artkit.nn import STROKE_CHANNELS, read_arguments
from artkit.testing import check_spec
from artkit.training import train
from artkit_pix2pix import SPEC, Pix2PixOptions
from artkit_pix2pix.networks import Pix2PixArguments, disturb
from artkit_pix2pix.translator import Pix2Pix

CLASSES = ClassSet("two", (LabelClass("sky", (0, 0, 255)), LabelClass("grass", (0, 255, 0))))
CONDITIONS = {"time": ("noon", "dusk"), "weather": ("clear", "misty")}


def header(architecture="subpixel", labels=True, **arguments):
    noise = arguments.pop("noise", "none")
    tall = arguments.pop("heights", False)
    channels = (2 if labels else 3) + (STROKE_CHANNELS if noise == "strokes" else 0) + tall
    told = sum(map(len, CONDITIONS.values())) if architecture == "subpixel" else 0
    own = {
        "subpixel": {"width": 8, "blocks": 2, "detail": (4, 4), "condition_channels": told},
        "unet_128": {"width": 4, "levels": 7},
        "resnet_6": {"width": 4, "blocks": 6},
        "resnet_9": {"width": 4, "blocks": 9},
    }[architecture]
    network = {"network": architecture.partition("_")[0], "in_channels": channels, "out_channels": 3}
    return ModelHeader(
        method="pix2pix",
        architecture=architecture,
        arguments={"generator": network | own | arguments, "noise": noise, "heights": tall},
        inputs={"image": Kind.LABELS if labels else Kind.IMAGE},
        output=Kind.IMAGE,
        classes=CLASSES if labels else None,
        conditions=CONDITIONS if told else {},
        size_multiple=128 if architecture == "unet_128" else 4,
    )


def translator(head, **options):
    torch.manual_seed(0)
    return Pix2Pix(Pix2PixOptions(**options), head).eval()


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)


@pytest.mark.parametrize("noise", ["none", "strokes"])
def test_a_batch_equals_its_pictures_one_by_one(noise):
    model = translator(header(noise=noise))
    labels = torch.randint(0, 2, (2, 13, 18))
    both = model.run({"image": labels}, seeds=(3, 4), size=(13, 18))
    for index, seed in enumerate((3, 4)):
        alone = model.run({"image": labels[index : index + 1]}, seeds=(seed,), size=(13, 18))
        assert torch.allclose(alone[0], both[index], atol=1e-5)
    assert both.shape == (2, 3, 13, 18)


def test_strokes_follow_the_seed():
    model = translator(header(noise="strokes"), condition="noon clear")
    labels = torch.zeros(1, 16, 16, dtype=torch.long)
    first, again, other = (model.run({"image": labels}, seeds=(seed,), size=(16, 16)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("height", "working_size"), [(20, 0), (60, 20)])
def test_the_generator_sees_heights_that_begin_at_the_picture(height, working_size):
    """Behind the classes and z, whatever margin lies around the picture, at the size it is painted at."""
    head = msgspec.structs.replace(header(noise="strokes", heights=True), size_margin=16)
    model, given = translator(head, working_size=working_size), []
    model.generator.register_forward_hook(lambda _, seen, made: given.append(seen[0]))
    model.run({"image": torch.zeros(1, height, 20, dtype=torch.long)}, seeds=(1,), size=(height, 20))
    [[plane]] = given[0][:, 2 + STROKE_CHANNELS :]
    torch.testing.assert_close(plane[16:36, 0], (torch.arange(20) + 0.5) / 10 - 1)
    assert (plane[:16] == -1).all()


def test_conditions_are_said_known_or_drawn():
    labels = torch.zeros(1, 16, 16, dtype=torch.long)

    def run(seed=0, facts=(), **options):
        return translator(header(), **options).run({"image": labels}, seeds=(seed,), size=(16, 16), facts=facts)

    dusk = run(condition="dusk,misty")
    assert torch.equal(dusk, run(facts=({"time": "dusk", "weather": "misty"},)))
    assert torch.equal(dusk, run(condition="dusk misty", facts=({"time": "noon"},)))
    assert not torch.equal(dusk, run(condition="noon misty"))
    assert torch.equal(run(), run(condition="noon clear"))
    assert torch.equal(run(condition="dusk"), run(condition="dusk clear"))
    assert len({run(seed, condition="any").sum().item() for seed in range(20)}) == 4
    assert len({run(seed, condition="any dusk").sum().item() for seed in range(20)}) == 2


def test_a_model_whose_words_its_network_does_not_take_is_refused():
    with pytest.raises(ModelError, match="knows 2 words, and its network takes 4: export it again"):
        translator(msgspec.structs.replace(header(), conditions={"time": ("noon", "dusk")}))


def test_an_unknown_condition_names_the_nearest():
    with pytest.raises(OptionError, match="'dusk'"):
        translator(header(), condition="dust")


@pytest.mark.parametrize("architecture", ["unet_128", "resnet_6", "resnet_9"])
def test_dropout_is_off_unless_asked_and_then_follows_the_seed(architecture):
    head = header(architecture, labels=False, dropout=True)
    image = torch.rand(1, 3, 40, 52)
    still, lively = translator(head), translator(head, stochastic=True)
    assert torch.equal(*(still.run({"image": image}, seeds=(seed,), size=(40, 52)) for seed in (1, 2)))
    one, again, two = (lively.run({"image": image}, seeds=(seed,), size=(40, 52)) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, two)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (33, 5)])
def test_any_size_goes_through_a_chain(tmp_path, size):
    head = header()
    path = tmp_path / "model.safetensors"
    weights = read_arguments(head, Pix2PixArguments).generator.build().state_dict()
    save_model(path, head, {f"generator.{name}": value for name, value in weights.items()})
    colours = np.array(CLASSES.colours, np.uint8)[np.random.default_rng(0).integers(0, 2, size)]
    out = Chain(f"pix2pix(model={str(path)!r})")(Image.fromarray(colours))
    assert out.size == size


def test_a_label_map_is_resized_without_mixing_colours(tmp_path):
    head = header()
    path = tmp_path / "model.safetensors"
    weights = translator(head).state_dict()
    save_model(path, head, weights)
    colours = np.array(CLASSES.colours, np.uint8)[np.random.default_rng(0).integers(0, 2, (9, 7))]
    assert Chain(f"pix2pix(model={str(path)!r})")(colours, size=(16, 12)).size == (12, 16)


def test_noise_on_the_input_has_the_level_it_says():
    torch.manual_seed(0)
    labels = torch.zeros(1, 200, 200, dtype=torch.long)
    assert abs((disturb(labels, 4, "labels", 0.2) != 0).float().mean() - 0.2 * 3 / 4) < 0.01
    image = torch.zeros(1, 3, 100, 100)
    assert abs(disturb(image, None, "gaussian", 0.1).std() - 0.1) < 0.002
    assert disturb(image, None, "none", 0.1) is image


@pytest.mark.parametrize(
    ("network", "side", "size"),
    [("unet_128", 128, (130, 150)), ("resnet_6", 32, (36, 40)), ("resnet_9", 32, (36, 40))],
)
def test_the_papers_networks_train_on_sheets(tmp_path, network, side, size):
    for index in range(2):
        path = tmp_path / "data" / "train" / f"{index}_AB.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet = np.random.default_rng(index).integers(0, 256, (size[0], 2 * size[1], 3), dtype=np.uint8)
        Image.fromarray(sheet).save(path)
    values = {"network": network, "width": 4, "widths": (4,), "steps": 2, "crop": side, "batch": 2, "precision": "fp32"}
    model = train("pix2pix", str(tmp_path / "data"), tmp_path / "run", values=values)
    out = Chain(f"pix2pix(model={str(model)!r})")(np.zeros((9, 11, 3), np.uint8))
    assert out.size == (9, 11)


def test_the_adversarial_weight_falls_with_the_rate(tmp_path):
    values = {"network": "resnet_6", "width": 4, "widths": (4,), "crop": 32, "steps": 3, "precision": "fp32"}
    values |= {"source": "photo", "decay_from": 0.0, "learning_rate": 1e-2, "ema": 0}

    def trained(name, **more):
        model = train("pix2pix", "landscapes(count=4,size=[32,32])", tmp_path / name, values=values | more)
        return load_model(model).tensors

    def same(one, other):
        return all(torch.equal(one[name], other[name]) for name in one)

    constant = trained("constant", adversarial=0.5)
    assert same(constant, trained("level", adversarial=0.5, adversarial_end=0.5))
    assert not same(constant, trained("falling", adversarial=0.5, adversarial_end=0.0))


@pytest.mark.parametrize(
    ("changes", "fitting"),
    [
        ({"crop": 30}, 32),
        ({"crop": 16}, 24),
        ({"crop": 100, "network": "unet_128"}, 128),
        ({"crop": 64, "receptive_field": 286}, 96),
        ({"crop": 24, "widths": (4, 4)}, 48),
    ],
)
def test_a_crop_that_does_not_fit_is_told_with_one_that_does(tmp_path, changes, fitting):
    data = "landscapes(count=2,size=[32,32])"
    values = {"network": "resnet_6", "width": 4, "widths": (4,), "steps": 1, "ema": 0, **changes}
    with pytest.raises(OptionError, match=f"crop={changes['crop']} does not fit the networks: try {fitting}, or"):
        train("pix2pix", data, tmp_path / "run", values=values)
    train("pix2pix", data, tmp_path / "run", values=values | {"crop": fitting})


def test_a_run_begins_with_a_model_of_fewer_words_and_paints_as_it_did(tmp_path):
    """`steps` at no rate at all leave what was begun with: whatever the style, it is the old model's picture."""
    data = "landscapes(count=20,size=[32,32],lights=any,styles=[ink,swirl])"
    small = {"network": "subpixel", "width": 4, "blocks": 1, "detail": [4, 4], "batch": 1, "crop": 32, "widths": [4]}

    def trained(name, **values):
        return train("pix2pix", data, tmp_path / name, values={"target": "painting", "steps": 1} | values)

    old = trained("old", **small, conditions=["time"])
    told = {"start": str(old), "conditions": ["style", "time"], "learning_rate": 1e-30, "batch": 1, "crop": 32}
    new = trained("new", **told, widths=[4])
    map_ = Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32) % 12, "P")
    map_.putpalette([value for colour in load_model(old).header.classes.colours for value in colour])
    map_.save(tmp_path / "map.png")

    def painted(model, words):
        return Chain(f"pix2pix(model='{model}',condition='{words}')")(tmp_path / "map.png").numpy()

    before = painted(old, "dusk")
    assert np.array_equal(painted(new, "dusk ink"), before)
    assert np.array_equal(painted(new, "swirl dusk"), before)
    assert not np.array_equal(painted(old, "noon"), before)
