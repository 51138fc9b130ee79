"""The contract kit on datasets and metrics: those that come with artkit pass, and each broken promise is named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from artkit.models import save_model
from artkit.plugins import load_registry
from artkit.spec import Kind, ModelHeader, ModelSpec
from artkit.testing import check_dataset, check_metric
from artkit.testing.offers import model_faults
from plugin_kit import write_plugin

REGISTRY = load_registry()

DATASET = '''
"""A dataset under test."""
from typing import Annotated
import torch
from artkit import DatasetSpec, Kind, Options, hookimpl, option
from artkit.data import Column, Dataset

class TriedOptions(Options):
    side: Annotated[int, option("pixels of a side", ge=8)] = 16

@hookimpl
def register_datasets():
    return [DatasetSpec("tried", "Is tried.", "tried_data:make", options=TriedOptions)]

def make(options, split):
    return Tried(options, 0 if split == "train" else 1000)

class Tried(Dataset):
    name = "tried"
    columns = {"image": Column("image", Kind.IMAGE), "word": Column("word", Kind.TEXT, values=("a", "b"))}
    loads = 0
    def __init__(self, options, first):
        self.side, self.first = options.side, first
    def __len__(self):
        return 4
    def load(self, index, names):
        Tried.loads += 1
        generator = torch.Generator().manual_seed(self.first + index)
        image = torch.randint(256, (3, self.side, self.side), generator=generator, dtype=torch.uint8)
        return {name: value for name, value in {"image": image, "word": "a"}.items() if name in names}
'''

METRIC = '''
"""A metric under test."""
from artkit import MetricSpec, hookimpl

@hookimpl
def register_metrics():
    return [MetricSpec("tried_gap", "Difference of mean brightness.", "tried_metric:gap", better="lower")]

CALLS = []

def gap(outputs, targets):
    CALLS.append(1)
    gaps = [abs(output.mean() - target.mean()) for output, target in zip(outputs, targets, strict=True)]
    return float(sum(gaps) / len(gaps))
'''


def registry_with(path, text, monkeypatch, old="", new=""):
    """Load a plugin with a part of its text exchanged."""
    assert old in text
    return load_registry((write_plugin(path, text.replace(old, new) if old else text, monkeypatch),))


def test_a_sound_dataset_passes(tmp_path, monkeypatch):
    check_dataset("tried", registry_with(tmp_path / "tried_data.py", DATASET, monkeypatch), options={"side": 9})


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("dtype=torch.uint8)", "dtype=torch.int64)", "column 'image': uint8 3HW is due, not torch.int64"),
        ("(3, self.side", "(1, self.side", "uint8 3HW is due, not torch.uint8 of (1, 16, 16)"),
        ('"word": "a"}', '"word": "c"}', "'c' is none of its values: a, b"),
        ('"word": "a"}', '"word": 7}', "text is due, not int"),
        ("if name in names", "if name == 'image'", "load() gives image, and was asked for image, word"),
        ("self.first + index", "self.first + index + Tried.loads", "other bits the second time"),
        ("self.first + index", "self.first + index + len(names)", "when it is loaded without the others"),
        ("else 1000", "else 1", "shows a sample of train"),
        ("return Tried(options", "return None and Tried(options", "returns no artkit.data.Dataset"),
        ("return 4", "return 0", "with columns and samples"),
        ('option("pixels of a side", ge=8)', "None", "option 'side' has no description"),
        ("Tried.loads += 1", "1 / 0", "it raised ZeroDivisionError"),
        ('Column("image", Kind.IMAGE)', 'Column("picture", Kind.IMAGE)', "calls itself 'picture'"),
    ],
)
def test_faults_of_a_dataset_are_named(tmp_path, monkeypatch, old, new, fault):
    registry = registry_with(tmp_path / "tried_data.py", DATASET, monkeypatch, old, new)
    with pytest.raises(AssertionError, match=re.escape(fault)) as caught:
        check_dataset("tried", registry)
    assert "the dataset tried breaks the contract" in str(caught.value)


@pytest.mark.parametrize("name", REGISTRY.metrics)
def test_metrics_that_ship_pass(name):
    check_metric(name, REGISTRY)


def test_a_dataset_that_ships_passes():
    check_dataset("studio", REGISTRY, options={"side": 16, "count": 10})


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('better="lower"', 'better="higher"', "better is 'higher', and pictures score 0 with themselves"),
        ('better="lower"', 'better="least"', "neither 'lower' nor 'higher'"),
        ("return float(sum(gaps) / len(gaps))", "return None", "it gives None, and a number is due"),
        ("/ len(gaps)", "/ len(gaps) + len(CALLS)", "another number the second time"),
        ("CALLS.append(1)", "outputs[0].zero_()", "it changes the pictures"),
        ("CALLS.append(1)", "1 / 0", "it raised ZeroDivisionError"),
        ("Difference of mean brightness.", " ", "the metric has no summary"),
        ("tried_metric:gap", "tried_metric:gaps", "has no attribute 'gaps'"),
    ],
)
def test_faults_of_a_metric_are_named(tmp_path, monkeypatch, old, new, fault):
    registry = registry_with(tmp_path / "tried_metric.py", METRIC, monkeypatch, old, new)
    with pytest.raises(AssertionError, match=re.escape(fault)):
        check_metric("tried_gap", registry)


@pytest.mark.parametrize("model", [model for model in REGISTRY.models if model.file], ids=lambda model: model.name)
def test_models_that_ship_pass(model):
    assert model_faults(model) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"method": "blurr"}, "its header has the method 'blur', and the spec 'blurr'"),
        ({"name": "hard"}, "is missing from its plugin"),
        ({"file": "kept_models:weights/junk.safetensors"}, "junk.safetensors"),
        ({"licence": "MIT"}, "its header has the licence 'CC0-1.0', and the spec 'MIT'"),
        ({"licence": ""}, "and the spec ''"),
        ({"summary": ""}, "the model has no summary"),
    ],
)
def test_faults_of_a_model_are_named(tmp_path, monkeypatch, changes, fault):
    weights = tmp_path / "kept_models" / "weights"
    weights.mkdir(parents=True)
    (tmp_path / "kept_models" / "__init__.py").touch()
    header = ModelHeader(method="blur", name="soft", architecture="x", inputs={}, output=Kind.IMAGE, licence="CC0-1.0")
    save_model(weights / "soft.safetensors", header, {"w": torch.zeros(1)})
    (weights / "junk.safetensors").write_bytes(b"junk")
    monkeypatch.syspath_prepend(tmp_path)
    spec = ModelSpec("soft", "blur", "Soft.", file="kept_models:weights/soft.safetensors", licence="CC0-1.0")
    file = f"kept_models:weights/{changes['name']}.safetensors" if "name" in changes else spec.file
    faults = model_faults(replace(spec, **({"file": file} | changes)))
    assert len(faults) == (fault is not None)
    assert not faults or fault in faults[0]
