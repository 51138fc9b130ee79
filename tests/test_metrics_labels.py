"""Scores of label maps, and what the metrics say about themselves."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys

import pytest
import torch

from artkit import Kind
from artkit.errors import DataError
from artkit.metrics import METRICS, border_gap, class_distance, class_shares, off_palette, pixel_accuracy


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


def test_class_distance_is_the_total_variation() -> None:
    a, b = torch.tensor([[0, 0, 1, 1]]), [torch.tensor([[0, 2]]), torch.tensor([[2, 2]])]
    assert class_distance(a, b) == pytest.approx((0.25 + 0.5 + 0.75) / 2)
    assert class_distance(a, a.flip(1)) == 0
    assert class_distance(torch.zeros(3, 3, dtype=torch.int64), torch.ones(2, 2, dtype=torch.int64)) == 1


def test_border_gap_counts_neighbours_that_differ() -> None:
    stripes, blocks = torch.tensor([[0, 1, 0], [0, 1, 0]]), torch.tensor([[0, 0, 0], [1, 1, 0]])
    assert border_gap(stripes, blocks) == pytest.approx((4 - 3) / 3)  # of seven pairs each
    assert border_gap(blocks, stripes) == pytest.approx(1 / 4)
    assert border_gap([blocks, blocks], blocks) == 0
    flat = torch.zeros(2, 3, dtype=torch.int64)
    assert (border_gap(flat, flat), border_gap(stripes, flat)) == (0, math.inf)


def test_off_palette_counts_colours_that_no_target_has() -> None:
    palette = torch.tensor([[10, 20, 30], [200, 100, 50]]).T[:, None] / 255
    made = torch.tensor([[10, 20, 38], [10, 20, 39], [206, 106, 50], [204, 104, 54]]).T[:, None] / 255
    assert off_palette(made, palette) == 0.5
    assert off_palette(palette, [palette, made]) == 0


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
    pictures = torch.randint(0, 5, (2, 16, 16)) if spec.kind is Kind.LABELS else torch.rand(2, 3, 16, 16)
    facts = [[{"style": "ink"}, {"style": "swirl"}]] if spec.facts else []
    assert name == spec.name
    assert isinstance(function(pictures, pictures, *facts), float)
    assert facts or spec.better == ("higher" if function(pictures, pictures) > 0 else "lower")


def test_listing_metrics_imports_no_torch() -> None:
    code = "import sys; from artkit.metrics import METRICS; print('torch' in sys.modules, 'skimage' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
