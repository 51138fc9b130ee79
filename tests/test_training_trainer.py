"""The trainer's base: networks by their attributes, the discriminator's step, and the check of what it will export."""

from __future__ import annotations

import copy
import re
import sys
from types import ModuleType

import pytest
import torch
from torch import nn

import tiny_training
from artkit.data import open_dataset
from artkit.errors import ModelError, PluginError, TrainingError
from artkit.hookspecs import hookimpl
from artkit.models import Model, read_header
from artkit.nn import discriminator_loss
from artkit.plugins import PluginSource, load_registry, use_registry
from artkit.spec import Kind, ModelHeader, Options
from artkit.training import Settings, Trainer, train, trim
from artkit.training.run import load_start


class Bare(Trainer):
    """As little as a trainer can be, with a discriminator."""

    discriminator: nn.Module

    def __init__(self):
        super().__init__(Options(), Settings(), None)
        self.discriminator = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 3))
        self.optimisers = {"discriminator": self.adam("discriminator")}

    def training_step(self, batch):
        return {}

    def preview(self, batch):
        return []

    def export(self):
        raise NotImplementedError


def test_networks_are_collected_by_their_attributes_names():
    trainer = Bare()
    assert trainer.networks == {"discriminator": trainer.discriminator}
    trainer.discriminator = other = nn.Conv2d(3, 1, 1)
    assert trainer.networks == {"discriminator": other}


def test_a_run_starts_from_the_networks_that_a_model_holds_and_from_no_others(tmp_path):
    def model_of(**parts):
        header = ModelHeader(method="tint", architecture="t", inputs={"image": Kind.IMAGE}, output=Kind.IMAGE)
        states = {f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in state.items()}
        return Model(header, states, tmp_path / "old.safetensors")

    trainer, other = Bare(), Bare()
    trainer.generator = nn.Conv2d(3, 3, 1)
    drawn = trainer.generator.weight.clone()
    given = other.discriminator.state_dict()
    wide = nn.Conv2d(3, 3, 3).state_dict()
    assert load_start(trainer, model_of(discriminator=given, generator_b=wide)) == ["discriminator"]
    assert all(torch.equal(tensor, given[name]) for name, tensor in trainer.discriminator.state_dict().items())
    assert torch.equal(trainer.generator.weight, drawn)
    assert Bare.options_of(model_of(discriminator=given)) == {}
    with pytest.raises(TrainingError, match=r"old.safetensors holds no network .*: discriminator or generator\."):
        load_start(trainer, model_of(generator_b=wide))
    with pytest.raises(TrainingError, match=r"old.safetensors: its generator is not .*weight \(3, 3, 3, 3\) for"):
        load_start(trainer, model_of(generator=wide))


def test_previews_are_cut_to_what_a_network_takes_and_mirrored_up_to_it():
    picture = torch.arange(12.0).reshape(1, 1, 2, 6)
    cut = trim(picture, 4)
    assert cut.shape == (1, 1, 4, 4)
    assert torch.equal(cut[0, 0], picture[0, 0][[0, 1, 0, 1], :4])
    assert torch.equal(trim(picture[0, 0], 2), picture[0, 0])


@pytest.mark.parametrize("r1", [0.0, 4.0])
def test_a_discriminators_step_pays_half_of_gamma_times_r1(r1):
    torch.manual_seed(0)
    trainer, real, fake = Bare(), torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8, requires_grad=True)
    net = copy.deepcopy(trainer.discriminator)
    loss = trainer.update_discriminator("discriminator", real, fake, "vanilla", r1=r1, every=1)
    x = real.clone().requires_grad_()
    slope = torch.autograd.grad(net(x).flatten(1).mean(1).sum(), x, create_graph=True)[0]
    expected = discriminator_loss(net(real), net(fake), "vanilla")
    torch.testing.assert_close(loss, expected)
    total = expected + r1 / 2 * slope.square().sum((1, 2, 3)).mean()
    gradients = torch.autograd.grad(total, list(net.parameters()), allow_unused=True)
    for parameter, gradient in zip(trainer.discriminator.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-6, rtol=1e-4)
    assert fake.grad is None
    assert all(parameter.requires_grad for parameter in trainer.discriminator.parameters())


def test_a_lazy_penalty_weighs_as_much_on_average():
    """Paid in one step of four, and then fourfold: the mean step is that of paying always."""
    gradients = {}
    for every, steps in ((1, 1), (4, 600)):
        torch.manual_seed(0)
        trainer, pictures = Bare(), torch.rand(2, 3, 8, 8)
        trainer.optimisers["discriminator"] = torch.optim.SGD(trainer.discriminator.parameters(), lr=0.0)
        found = []
        for _ in range(steps):
            trainer.update_discriminator("discriminator", pictures, 1 - pictures, "lsgan", r1=50.0, every=every)
            found.append(trainer.discriminator[0].weight.grad.clone())
        gradients[every] = torch.stack(found).mean(0)
    assert torch.cosine_similarity(gradients[1].flatten(), gradients[4].flatten(), 0) > 0.95
    assert gradients[4].norm() == pytest.approx(gradients[1].norm(), rel=0.25)


class Plugin:
    """The tiny method, under a trainer or translator of the test's."""

    def __init__(self, **parts):
        self.spec = copy.copy(tiny_training.SPEC)
        for name, part in parts.items():
            object.__setattr__(self.spec, name, f"{place(part)}:{part.__name__}")

    @hookimpl
    def register_methods(self):
        return [self.spec]


def place(part):
    """Make a class importable, as one of a plugin's module."""
    module = sys.modules.setdefault("broken_plugin", ModuleType("broken_plugin"))
    setattr(module, part.__name__, part)
    return "broken_plugin"


@pytest.fixture
def run(tmp_path):
    def go(plugin, **changes):
        registry = load_registry()
        registry.add(PluginSource("broken", lambda: plugin))
        use_registry(registry)
        values = {"steps": 1, "crop": 16, "batch": 1, **changes}
        return train("tint", "landscapes(count=2,size=[16,16])", tmp_path / "run", values=values)

    yield go
    use_registry(None)


class Dreaming(tiny_training.TintTrainer):
    def preview(self, batch):
        return [torch.rand(2, 3, 8, 8)]


def test_sheets_are_drawn_with_the_same_chance_every_time_and_use_none_up(run, tmp_path):
    before = torch.get_rng_state()
    model = run(Plugin(trainer=Dreaming), steps=2, sample_every=1, seed=5)
    first, second = sorted((tmp_path / "run" / "samples").iterdir())
    assert first.read_bytes() == second.read_bytes()
    torch.manual_seed(5)
    tiny_training.Tint()
    drawn = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["processes"][0]["random"]
    assert torch.equal(drawn, torch.get_rng_state())
    assert not torch.equal(drawn, before)
    made = {"data": "landscapes(count=2,size=[16,16])", "steps": 2, "batch": 1, "crop": 16, "seed": 5}
    assert read_header(model).training == made


class Misnamed(tiny_training.TintTrainer):
    def export(self):
        header, tensors = super().export()
        return header, {name.replace("colour", "hue"): tensor for name, tensor in tensors.items()}


class Foreign(tiny_training.TintTrainer):
    def export(self):
        import msgspec

        header, tensors = super().export()
        return msgspec.structs.replace(header, method="pix2pix"), tensors


class Failing(tiny_training.TintTrainer):
    def export(self):
        raise ZeroDivisionError("division by zero")


class Unmade(tiny_training.TintTrainer):
    def __init__(self, options, settings, dataset):
        raise ZeroDivisionError("division by zero")


UNLOADED = "The trainer of tint (plugin 'broken') exports a model that its translator does not load"


class Picky(tiny_training.TintTranslator):
    def __init__(self, options, header):
        raise ModelError("no such colour")


def test_a_model_that_its_translator_refuses_is_told_before_the_first_step(run):
    with pytest.raises(PluginError) as caught:
        run(Plugin(translator=Picky))
    assert str(caught.value) == f"{UNLOADED}: no such colour"


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        (Misnamed, f"^{re.escape(UNLOADED)}; missing: generator.colour; unexpected: generator.hue.$"),
        (Foreign, f"^{re.escape(UNLOADED)}: its header names the method 'pix2pix'.$"),
        (Failing, "tint.*'broken'.*division by zero"),
        (Unmade, "tint.*'broken'.*division by zero"),
    ],
)
def test_a_model_that_nobody_could_load_is_told_before_the_first_step(run, tmp_path, trainer, words):
    with pytest.raises(PluginError, match=words):
        run(Plugin(trainer=trainer))
    assert not (tmp_path / "run" / "log.csv").exists()


def test_the_check_uses_up_no_chance():
    """A run draws the same numbers with the check as without."""
    from artkit.plugins import current_registry
    from artkit.training.checking import check_export
    from artkit_pix2pix import SPEC, Pix2PixTraining
    from artkit_pix2pix.trainer import Pix2PixTrainer

    options = Pix2PixTraining(network="resnet_6", width=4, widths=(4,), receptive_field=16, target="photo")
    data = open_dataset("landscapes(count=2,size=[32,32])", "train")
    trainer = Pix2PixTrainer(options, Settings(crop=32), data)
    before = torch.get_rng_state()
    check_export(trainer, current_registry().method(SPEC.name))
    assert torch.equal(torch.get_rng_state(), before)
