"""Heights: where each pixel lies between the top and the bottom of its picture."""

from __future__ import annotations

import torch

from artkit.nn import heights


def test_heights_go_from_top_to_bottom_of_the_picture_within_its_margin():
    inner = heights(8, 3)
    assert inner.shape == (1, 8, 3)
    assert inner[0, 0].tolist() == [-0.875] * 3
    assert inner[0, -1].tolist() == [0.875] * 3
    assert torch.equal(heights(12, 3, 2)[:, 2:-2], inner)
    assert heights(12, 3, 2).abs().max() == 1
