"""The model that comes with the package colours landscapes that it has not seen."""

from importlib.resources import files

import artkit

from artkit_colouriser.colour import luminance

DATA = "landscapes(count=40,size=[128,96],seed=9000)"


def test_it_is_small_and_says_how_it_was_made():
    header = artkit.models("colouriser")["colouriser/landscape"].header
    assert (header.licence, header.name) == ("CC0-1.0", "landscape")
    assert header.training["steps"] > 1000
    assert len(files("artkit_colouriser").joinpath("weights/landscape.safetensors").read_bytes()) < 2**20


def test_it_is_nearer_to_the_colours_than_grey_is():
    coloured, grey = (
        artkit.evaluate(DATA, chain, ["rgb_distance"], source="photo", target="photo").scores["rgb_distance"]
        for chain in ("colouriser", "grey")
    )
    assert coloured < 0.75 * grey


def test_light_and_dark_stay():
    grey = artkit.Chain("semgan,pix2pix,grey")(size=(96, 64), seed=3)
    coloured = artkit.Chain("colouriser(strength=2)")(grey)
    assert (luminance(coloured.tensor) - luminance(grey.tensor)).abs().max() < 1e-4
    assert (coloured.tensor.amax(1) - coloured.tensor.amin(1)).mean() > 0.05
