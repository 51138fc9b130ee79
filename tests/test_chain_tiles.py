"""A chain computed in tiles makes what it makes as a whole: label maps to the pixel, pictures within rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from artkit import Chain
from artkit.images import read_picture, resize_image

PHOTO = Path(__file__).parents[1] / "examples" / "semantic_damaged.jpg"
PICTURES = {
    "a damaged map": lambda: read_picture(PHOTO).tensor,
    "a cat": lambda: read_picture(data.chelsea()).tensor,
    "coffee": lambda: read_picture(data.coffee()).tensor,
    "noise": lambda: torch.rand(1, 3, 200, 240, generator=torch.Generator().manual_seed(0)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_tiles_change_no_label_and_no_picture(name, monkeypatch):
    """Sums over the whole picture are exact enough, so that what memory happens to be free decides nothing."""
    picture = resize_image(PICTURES[name](), (200, 240))
    chain = Chain("semgan,pix2pix")
    whole = chain.steps(picture)
    monkeypatch.setenv("ARTKIT_MEMORY", "2MB")
    tiled = chain.steps(picture)
    assert np.array_equal(whole["semgan"].numpy(), tiled["semgan"].numpy())
    assert torch.allclose(whole["pix2pix"].tensor, tiled["pix2pix"].tensor, atol=1e-5)


def test_so_little_memory_does_cut_them(monkeypatch):
    """Else the test above would compare the whole with itself."""
    from artkit.nn import tiling

    spans, cuts = tiling._spans, []
    monkeypatch.setattr(tiling, "_spans", lambda *cut: cuts.append(cut[0] > cut[1]) or spans(*cut))
    monkeypatch.setenv("ARTKIT_MEMORY", "2MB")
    Chain("semgan,pix2pix")(resize_image(PICTURES["noise"](), (200, 240)))
    assert sum(cuts) > 20
