"""Scores of label maps, and what the metrics say about themselves."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import torch

from artkit.errors import DataError
from artkit.metrics import METRICS, class_shares, pixel_accuracy


def test_pixel_accuracy_of_known_maps() -> None:
    a = torch.tensor([[0, 1, 2], [3, 4, 5]])
    b = torch.tensor([[0, 1, 2], [3, 0, 0]])
    assert pixel_accuracy(a, b) == pytest.approx(4 / 6)
    assert pixel_accuracy(a, a) == 1
    assert pixel_accuracy([a, a], [a, b]) == pytest.approx((1 + 4 / 6) / 2)


def test_pixel_accuracy_takes_any_integer_type() -> None:
    a = torch.randint(0, 12, (2, 9, 7))
    assert pixel_accuracy(a.to(torch.uint8), a) == 1


def test_class_shares_against_counting() -> None:
    maps = torch.randint(0, 5, (3, 8, 9), generator=torch.Generator().manual_seed(0))
    shares = class_shares(maps, 7)
    assert shares.tolist() == [pytest.approx((maps == k).sum().item() / maps.numel()) for k in range(7)]
    assert shares.sum().item() == pytest.approx(1)


def test_class_shares_weigh_pixels_not_maps() -> None:
    shares = class_shares([torch.zeros(1, 1, dtype=torch.int64), torch.ones(3, 1, dtype=torch.int64)], 2)
    assert shares.tolist() == [0.25, 0.75]


def test_classes_outside_the_set_are_refused() -> None:
    with pytest.raises(DataError, match="class 7"):
        class_shares(torch.tensor([[0, 7]]), 5)
    with pytest.raises(DataError, match="class -1"):
        class_shares(torch.tensor([[0, -1]]), 5)


def test_images_are_no_label_maps() -> None:
    with pytest.raises(DataError, match="label maps"):
        pixel_accuracy(torch.rand(2, 4, 4), torch.rand(2, 4, 4))


@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: spec.name)
def test_every_spec_leads_to_its_function(spec) -> None:
    module, _, name = spec.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    if spec.needs:  # those have tests of their own, with a network that stands in for the package
        module, _, find = spec.needs.partition(":")
        assert callable(getattr(importlib.import_module(module), find))
        return
    pictures = torch.randint(0, 5, (2, 16, 16)) if spec.name == "pixel_accuracy" else torch.rand(2, 3, 16, 16)
    assert name == spec.name
    assert isinstance(function(pictures, pictures), float)
    assert spec.better == ("higher" if function(pictures, pictures) > 0 else "lower")


def test_listing_metrics_imports_no_torch() -> None:
    code = "import sys; from artkit.metrics import METRICS; print('torch' in sys.modules, 'skimage' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
