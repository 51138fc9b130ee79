"""Networks are built within what their model file holds, whatever its header asks for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from artkit import Chain
from artkit.errors import ModelError
from artkit.models import load_model, save_model
from artkit.models.building import SPARE, within


def within_four():
    return within({"weight": (4, 4), "bias": (4,)}, "m.safetensors")


def test_what_fits_is_built():
    with within_four():
        assert len(list(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm2d(4)).parameters())) == 4


def test_too_many_parameters_end_at_the_first_too_many():
    built = []
    words = r"m\.safetensors does not fit .* more than 1004 parameters, and the file holds 2 tensors"
    with within_four(), pytest.raises(ModelError, match=words):
        built.extend(nn.Linear(1, 1) for _ in range(2_000))
    assert len(built) <= SPARE


def test_too_large_parameters_end_before_their_memory_is_touched(monkeypatch):
    """A gigabyte is asked for, and given up before it is filled with first weights."""
    filled = []
    monkeypatch.setattr(nn.Linear, "reset_parameters", lambda layer: filled.append(layer))
    with within_four(), pytest.raises(ModelError, match=r"more than \d+ numbers"):
        nn.Linear(2**14, 2**14)
    assert filled == []
    with within_four():
        nn.Linear(10**6, 10**6, device="meta")  # which takes no memory


def test_modules_without_parameters_are_counted():
    with within_four(), pytest.raises(ModelError, match=r"more than \d+ modules"):
        nn.Sequential(*([nn.ReLU()] * 10_000))


def test_afterwards_and_elsewhere_nothing_is_bounded():
    large = [nn.ReLU()] * 10_000
    with pytest.raises(ModelError), within_four():
        nn.Sequential(*large)
    nn.Sequential(*large)
    made = []
    with within_four():
        other = threading.Thread(target=lambda: made.append(nn.Sequential(*large)))
        other.start()
        other.join()
    assert len(made) == 1


@pytest.mark.parametrize(("name", "value"), [("blocks", 10**6), ("width", 2**22)])
def test_a_model_that_asks_for_the_moon_is_refused_in_a_line(tmp_path, name, value):
    """The header of a shipped model, changed; its weights are those of 8 blocks."""
    import artkit_superres

    sharp = load_model(Path(artkit_superres.__file__).parent / "weights" / "sharp.safetensors")
    sharp.header.arguments["networks"][1][name] = value
    path = tmp_path / "moon.safetensors"
    save_model(path, sharp.header, sharp.tensors)
    with pytest.raises(ModelError) as caught:
        Chain(f"superres(model='{path}')")(torch.rand(3, 8, 8))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
