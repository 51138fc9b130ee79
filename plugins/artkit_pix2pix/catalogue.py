"""The pix2pix models that the paper's authors published for PyTorch: <https://phillipi.github.io/pix2pix/>."""

from __future__ import annotations

from artkit import ModelSpec

# The project's script says http; over https nobody on the way can change a file for which no checksum was published.
SITE = "https://efrosgans.eecs.berkeley.edu/pix2pix/models-pytorch"
SOURCE = "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
LICENCE = "none stated for the weights (the project's code: BSD-2-Clause); the training data have terms of their own"
SIZE = 217_700_000  # bytes, about: a U-Net-256 of 64 filters in fp32


def _entry(name: str, trained_on: str, summary: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        method="pix2pix",
        summary=summary,
        url=f"{SITE}/{name}.pth",
        licence=LICENCE,
        source=SOURCE,
        size=SIZE,
        trained_on=trained_on,
    )


CATALOGUE = [
    _entry("edges2shoes", "edges2shoes, A to B", "Makes a shoe from its edges, black on white."),
    _entry("sat2map", "maps, A to B", "Draws the street map of an aerial photo."),
    _entry("map2sat", "maps, B to A", "Makes the aerial photo that a street map might stand for."),
    _entry("facades_label2photo", "facades, B to A", "Makes a house front from a coloured CMP label map."),
    _entry("day2night", "day2night, A to B", "Brings night to a landscape by day."),
]
