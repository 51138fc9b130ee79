"""Every method that ships keeps the contract, with the model that ships with it, if one does yet."""

from __future__ import annotations

import pytest

from artkit.models.store import list_models
from artkit.plugins import load_registry
from artkit.testing import check_method, check_spec, check_trainer

REGISTRY = load_registry()
READY = [spec.name for spec in REGISTRY.methods.values() if spec.default_model or not spec.needs_model]
TRAINED = [spec.name for spec in REGISTRY.methods.values() if spec.trainer]
SMALL = {"width": 8, "widths": (4,), "receptive_field": 16, "blocks": 1}
SUBPIXEL = {"pix2pix", "cyclegan"}


@pytest.mark.parametrize("spec", REGISTRY.methods.values(), ids=lambda spec: spec.name)
def test_declarations(spec):
    check_spec(spec)


def test_those_whose_strokes_would_lie_anew_on_each_frame_say_so():
    flickering = {spec.name for spec in REGISTRY.methods.values() if spec.flickers}
    assert flickering == {"cyclegan", "funit", "nst", "pix2pix", "spade"}


@pytest.mark.parametrize("name", READY)
def test_behaviour(name):
    check_method(name, REGISTRY)


@pytest.mark.parametrize("name", TRAINED)
def test_trainers(name, tmp_path):
    known = REGISTRY.method(name).training_options.__struct_fields__
    values = {option: value for option, value in SMALL.items() if option in known}
    check_trainer(name, REGISTRY, tmp_path, values=values | ({"network": "subpixel"} if name in SUBPIXEL else {}))


def test_default_models_are_small_and_say_where_they_come_from():
    packaged = [model for model in list_models(REGISTRY) if model.origin == "packaged"]
    needed = {spec.name for spec in REGISTRY.methods.values() if spec.needs_model}
    assert {model.method for model in packaged} == needed == needed & set(READY)
    for model in packaged:
        assert model.path.stat().st_size < 8 * 2**20
        assert model.header.licence == "CC0-1.0"
        assert model.header.name == model.name
        assert model.header.training["steps"] > 0
    assert sum(model.path.stat().st_size for model in packaged) < 50 * 2**20
