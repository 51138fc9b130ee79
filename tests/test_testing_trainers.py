"""The contract kit trains: a sound trainer passes, and each broken promise is named."""

from __future__ import annotations

import re

import pytest
import torch

from artkit.models.header import read_header
from artkit.plugins import load_registry
from artkit.testing import check_method, check_trainer
from artkit.testing.trainers import first_difference
from plugin_kit import write_plugin

PLUGIN = '''
"""A method under test: one convolution, learned from pairs."""
from typing import Annotated
import torch
from torch import nn
from artkit import Kind, MethodSpec, ModelHeader, Need, Options, Port, Trainer, Translator, hookimpl, option
from artkit.nn import Arguments, Filters, read_arguments

class Args(Arguments, frozen=True, kw_only=True):
    width: Filters

def build(width):
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1))

class TaughtTraining(Options, frozen=True):
    width: Annotated[int, option("filters", ge=1, le=64)] = 4

class Taught(Translator):
    spec = MethodSpec(
        name="taught",
        summary="Is taught.",
        inputs=(Port("image", Kind.IMAGE, "a picture"),),
        output=Kind.IMAGE,
        translator="taught_plugin:Taught",
        trainer="taught_plugin:TaughtTrainer",
        training_options=TaughtTraining,
        trains_on=(Need.PAIRS,),
    )
    def __init__(self, options, header):
        super().__init__(options, header)
        self.generator = build(read_arguments(header, Args).width)
    def translate(self, context, *, image):
        return self.generator(image).sigmoid()

class TaughtTrainer(Trainer):
    def __init__(self, options, settings, dataset):
        super().__init__(options, settings, dataset)
        self.columns = ("photo", "painting")
        self.check_crop(16, 40)
        self.generator = build(options.width)
        self.optimisers = {"generator": self.adam("generator")}
        self.pool = 1.0
    @classmethod
    def options_of(cls, model):
        return {"width": read_arguments(model.header, Args).width}
    def training_step(self, batch):
        noise = torch.rand(1)
        loss = (self.generator(batch["photo"]).sigmoid() - batch["painting"]).abs().mean() * (1 + 0.1 * noise.item())
        self.update("generator", loss)
        return {"l1": loss}
    def preview(self, batch):
        return [batch["photo"], self.exported("generator")(batch["photo"]).sigmoid()]
    def export(self):
        header = ModelHeader(method="taught", architecture="two", arguments=Args(width=self.options.width).record(),
                             inputs={"image": Kind.IMAGE}, output=Kind.IMAGE)
        return header, self.exported_tensors()

@hookimpl
def register_methods():
    return [Taught.spec]
'''


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Return a function that checks the trainer with some of its text exchanged, and gives the registry and model."""

    def run(*exchanges, **values):
        text = PLUGIN
        for old, new in exchanges:
            assert old in text
            text = text.replace(old, new)
        registry = load_registry((write_plugin(tmp_path / "taught_plugin.py", text, monkeypatch),))
        return registry, check_trainer("taught", registry, tmp_path / "runs", values=values)

    return run


def test_a_sound_trainer_passes_and_its_model_is_left_to_be_checked(check):
    registry, model = check(width=5)
    header = read_header(model)
    assert header.arguments == {"width": 5}
    assert header.training["crop"] == 48  # the first that fits, of those that are tried
    check_method("taught", registry, model=model, sizes=((5, 7),))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("noise = torch.rand(1)", "import random; noise = torch.tensor(random.random())", "are not 4 steps, first in"),
        ("* (1 + 0.1 * noise.item())", "* self.pool; self.pool *= 2", "are not 4 steps, first in networks.generator"),
        ('{"image": Kind.IMAGE}, output', '{"photo": Kind.IMAGE}, output', "the input 'photo', and the method no such"),
        ('{"image": Kind.IMAGE}, output=Kind.IMAGE', '{"image": Kind.IMAGE}, output=Kind.MASK', "gives 'mask'"),
        ('return {"width": read', 'return {"widht": read', "returns options that it does not have.*'width'"),
        ("self.exported_tensors()", "{}", "does not train.*translator does not load"),
        ('batch["painting"]).abs', 'batch["portrait"]).abs', "does not train.*'portrait'"),
        ('["photo"]).sigmoid() -', '["photo"]).lerp(batch["painting"], 0.5) -', "does not train in bf16: .*dtype"),
        ("self.check_crop(16, 40)", "self.check_crop(512)", "does not train.*crop=256 does not fit"),
    ],
)
def test_broken_promises_are_named(check, old, new, fault):
    with pytest.raises(AssertionError, match="the trainer of taught breaks the contract") as caught:
        check((old, new))
    assert re.search(fault, str(caught.value)), str(caught.value)


def test_a_method_that_bf16_stops_is_named(check):
    registry, model = check(("(image).sigmoid()", "(image).sigmoid().lerp(torch.zeros(1), 0.0)"))
    with pytest.raises(AssertionError, match=r"in bf16: it raised .*dtype"):
        check_method("taught", registry, model=model, sizes=((5, 7),))


def test_a_model_that_no_run_can_start_from_is_named(check):
    with pytest.raises(AssertionError, match=r"options_of.* does not say how it was built"):
        check(('{"width": read_arguments(model.header, Args).width}', "{}"), width=5)


def test_the_first_difference_is_named_by_its_place():
    one = {"networks": {"g": {"w": torch.zeros(2)}}, "steps": [1, 2]}
    assert first_difference(one, {"networks": {"g": {"w": torch.zeros(2)}}, "steps": [1, 2]}) == ""
    assert first_difference(one, {"networks": {"g": {"w": torch.ones(2)}}, "steps": [1, 2]}) == "networks.g.w"
    assert first_difference(one, {"networks": {"g": {"w": torch.zeros(2)}}, "steps": [1, 3]}) == "steps.1"
    assert first_difference(one, {"networks": {"g": {}}, "steps": [1, 2]}) == "networks.g"
