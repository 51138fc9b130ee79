"""Luminance stays, whatever the chroma; colours that are taken apart come together again."""

import pytest
import torch

from artkit_colouriser.colour import chroma, colour, luminance

PICTURE = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))


def test_colours_come_together_again():
    assert torch.allclose(colour(luminance(PICTURE), chroma(PICTURE)), PICTURE, atol=1e-5)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 50.0])
def test_luminance_stays_whatever_the_chroma(strength):
    light, guess = luminance(PICTURE), strength * torch.randn(2, 2, 9, 7, generator=torch.Generator().manual_seed(1))
    coloured = colour(light, guess)
    assert torch.allclose(luminance(coloured), light, atol=1e-5)
    assert coloured.min() >= -1e-5
    assert coloured.max() <= 1 + 1e-5


def test_black_and_white_take_no_colour():
    ends = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    assert torch.equal(colour(ends, torch.full((1, 2, 1, 2), 0.5)), ends.expand(1, 3, 1, 2))
