"""Each choice that a trainer offers builds networks of its own, or changes what one step learns; its own are known."""

from __future__ import annotations

import pytest
import torch

from artkit.plugins import current_registry, resolve
from artkit.training import Settings
from artkit.training.run import split_values
from objectives import enliven
from test_trainers import LOOKS, clip
from test_trainers_steps import ADVERSARIAL, batch_for, build

__all__ = ["build", "clip"]

NARROW = {"width": 4, "receptive_field": 16, "widths": (4,)}
BUILT = [  # choices that other networks are built by
    ("can", "upsample", ("transposed", "resize"), {}),
    ("can", "noise", ("none", "strokes"), {}),
    ("can", "discriminator_norm", ("batch", "none"), {}),
    ("can", "style_form", ("sigmoid", "softmax"), {}),
    ("can", "spectral", (False, True), {}),
    ("can", "patches", (False, True), {}),
    ("cyclegan", "network", ("resnet_9", "resnet_6", "subpixel", "painter"), {"norm": "none"} | NARROW),
    ("cyclegan", "discriminator_norm", ("instance", "batch", "none"), NARROW),
    ("cyclegan", "channels", ((3, 3), (1, 3), (3, 1)), NARROW | {"network": "resnet_6", "norm": "none"}),
    ("nextframe", "network", ("flow", "pgn", "prednet"), {}),
    ("nextframe", "adversarial", (0.0, 1.0), NARROW),
    (
        "pix2pix",
        "network",
        ("resnet_9", "resnet_6", "subpixel"),
        {"norm": "none", "conditions": (), "default_conditions": ()} | NARROW,
    ),
    ("pix2pix", "noise", ("none", "strokes"), NARROW),
    ("pix2pix", "heights", (False, True), NARROW),
    (
        "pix2pix",
        "antialias",
        (False, True),
        {"conditions": (), "default_conditions": (), "network": "resnet_6"} | NARROW,
    ),
    ("pix2pix", "conditions", ((), ("time",), ("time", "weather")), {"default_conditions": ()} | NARROW),
    ("semgan", "parts", ("both", "generate", "segment"), {}),
    ("semgan", "resolution", (32, 64), {"width": 2, "discriminator_width": 2}),
    ("spade", "network", ("tables", "concatenated", "paper"), NARROW | {"noise": "none", "mismatched": 0.0}),
    ("spade", "noise", ("none", "strokes"), NARROW),
    ("superres", "network", ("edsr", "srresnet", "rrdb"), {}),
    ("superres", "scales", ((2,), (4,), (2, 4)), {}),
    ("superres", "adversarial", (0.0, 1.0), {}),
    ("superres", "matching", (0.0, 1.0), {}),
    ("touchup", "discriminator_input", ("residuals", "picture"), {}),
    ("touchup", "norm", ("instance", "none"), {}),
]


def form(trainer):
    """Return what a trainer built: the arguments that its model records, and every tensor's name and shape."""
    shapes = {
        f"{key}.{name}": tuple(tensor.shape)
        for key, network in trainer.networks.items()
        for name, tensor in network.state_dict().items()
    }
    return repr((trainer.arguments.record(), shapes, trainer.columns))


@pytest.mark.parametrize(("name", "option", "values", "besides"), BUILT, ids=lambda value: str(value)[:20])
def test_each_choice_builds_networks_of_its_own(build, name, option, values, besides):
    forms = [form(build(name, besides | {option: value})) for value in values]
    assert len(set(forms)) == len(values)


LEARNED = [  # choices that change what one step learns
    ("can", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {}),
    ("can", "style_form", ("sigmoid", "softmax"), {}),
    ("cyclegan", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {}),
    ("cyclegan", "cell", (1, 4), {}),
    ("cyclegan", "cycle_a", (1.0, 10.0), {}),
    ("cyclegan", "cycle_b", (1.0, 10.0), {}),
    ("nextframe", "gradients", (0.0, 1.0), {}),
    ("nextframe", "gan", ("vanilla", "hinge", "relativistic"), ADVERSARIAL["nextframe"]),
    ("pix2pix", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {}),
    ("pix2pix", "l1_cell", (1, 4), {}),
    ("pix2pix", "input_noise", ("none", "labels"), {"input_noise_level": 0.5}),
    (
        "pix2pix",
        "input_noise",
        ("none", "gaussian"),
        {"input_noise_level": 0.5, "source": "photo", "target": "painting"},
    ),
    ("semgan", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {"warm_up": 0}),
    ("semgan", "fakes", ("soft", "gumbel"), {"warm_up": 0}),
    ("semgan", "shares", (0.0, 5.0), {"warm_up": 0}),
    ("semgan", "kl", (0.0, 5.0), {"warm_up": 0}),
    ("spade", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {}),
    ("spade", "mismatched", (0.0, 1.0), {}),
    ("spade", "own_style", (0.0, 1.0), {}),
    ("spade", "told", (0.0, 1.0), {}),
    ("stackgan", "reading", (0.0, 1.0), {}),
    ("superres", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {"matching": 1.0, "adversarial": 1.0}),
    ("superres", "pixel", ("mse", "l1"), {}),
    ("touchup", "gan", ("vanilla", "lsgan", "hinge", "relativistic"), {}),
    ("touchup", "smooth", (0.0, 1.0), {"discriminator_input": "picture"}),
]


@pytest.mark.parametrize(("name", "option", "values", "besides"), LEARNED, ids=lambda value: str(value)[:20])
def test_each_choice_changes_what_a_step_learns(build, clip, name, option, values, besides):
    learned = []
    for value in values:
        narrow = {} if name in ("can", "semgan", "stackgan") else {"receptive_field": 16, "widths": (4,)}
        trainer = build(name, narrow | besides | {option: value})
        enliven(trainer).step = 1
        torch.manual_seed(3)
        trainer.training_step(batch_for(trainer, clip if name == "nextframe" else LOOKS))
        learned.append(
            torch.cat(
                [
                    weight.grad.flatten()
                    for network in trainer.networks.values()
                    for weight in network.parameters()
                    if weight.grad is not None
                ]
            )
        )
    for index, one in enumerate(learned):
        for other in learned[index + 1 :]:
            assert one.shape != other.shape or not torch.allclose(one, other, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["can", "funit", "pix2pix", "spade"])
def test_strokes_are_laid_where_a_method_paints_with_them_and_nowhere_else(build, name):
    batches = {}
    for noise in ("none", "strokes"):
        trainer = build(name, NARROW | {"noise": noise} if name != "can" else {"noise": noise})
        batches[noise] = batch_for(trainer).keys()
        assert ("seed" in trainer.columns) == (noise == "strokes" and name != "can")
    assert batches["strokes"] - batches["none"] == ({"z", "seed"} if name != "can" else set())


SETTINGS = {  # what a run is made with that says nothing
    "can": {"steps": 100_000, "batch": 16, "crop": 256, "learning_rate": 1e-4},
    "cyclegan": {"steps": 2000, "batch": 2, "crop": 128, "load_size": 256, "learning_rate": 5e-4}
    | {"decay_from": 0.5, "ema": 0.995},
    "funit": {"steps": 6000, "batch": 4, "crop": 128, "learning_rate": 4e-4, "decay_from": 0.4, "ema": 0.998},
    "igan": {"steps": 20_000, "batch": 8, "crop": 64, "learning_rate": 5e-4, "decay_from": 0.4, "ema": 0.998},
    "nextframe": {"steps": 6000, "batch": 8, "crop": 96, "learning_rate": 5e-4, "decay_from": 0.5, "ema": 0.995},
    "pix2pix": {"steps": 100_000, "batch": 1, "crop": 256},
    "semgan": {"steps": 50_000, "batch": 16, "crop": 256},
    "spade": {"steps": 10_000, "batch": 4, "crop": 256, "learning_rate": 4e-4, "decay_from": 0.4, "ema": 0.998},
    "stackgan": {"steps": 20_000, "batch": 12, "crop": 256, "learning_rate": 4e-4, "decay_from": 0.6, "ema": 0.998},
    "superres": {"batch": 16, "crop": 96, "learning_rate": 1e-4},
    "touchup": {"batch": 4, "crop": 128},
}


def test_a_run_that_says_nothing_has_the_settings_of_its_method():
    methods = {name: spec for name, spec in current_registry().methods.items() if spec.trainer}
    found = {name: split_values(spec, resolve(spec.trainer, name), {})[0] for name, spec in methods.items()}
    assert found == {name: Settings(**values) for name, values in SETTINGS.items()}
