"""The CycleGAN models that the paper's authors published, each one way: <https://junyanz.github.io/CycleGAN/>."""

from __future__ import annotations

from artkit import ModelSpec

# The project's script says http; over https nobody on the way can change a file for which no checksum was published.
SITE = "https://efrosgans.eecs.berkeley.edu/cyclegan/pretrained_models"
SOURCE = "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
LICENCE = "none stated for the weights (the project's code: BSD-2-Clause); the training data have terms of their own"
SIZE = 45_600_000  # bytes, about: a ResNet-9 of 64 filters in fp32


def _entry(name: str, trained_on: str, summary: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        method="cyclegan",
        summary=summary,
        url=f"{SITE}/{name}.pth",
        licence=LICENCE,
        source=SOURCE,
        size=SIZE,
        trained_on=trained_on,
    )


CATALOGUE = [
    _entry("apple2orange", "apple2orange, A to B", "Turns apples into oranges."),
    _entry("orange2apple", "apple2orange, B to A", "Turns oranges into apples."),
    _entry("summer2winter_yosemite", "summer2winter_yosemite, A to B", "Brings winter to a summer landscape."),
    _entry("winter2summer_yosemite", "summer2winter_yosemite, B to A", "Brings summer to a winter landscape."),
    _entry("horse2zebra", "horse2zebra, A to B", "Turns horses into zebras."),
    _entry("zebra2horse", "horse2zebra, B to A", "Turns zebras into horses."),
    _entry("monet2photo", "monet2photo, A to B", "Makes the photo that a painting by Monet might show."),
    _entry("style_monet", "monet2photo, B to A", "Paints a photo in Monet's manner."),
    _entry("style_cezanne", "cezanne2photo, B to A", "Paints a photo in Cézanne's manner."),
    _entry("style_ukiyoe", "ukiyoe2photo, B to A", "Makes an ukiyo-e print of a photo."),
    _entry("style_vangogh", "vangogh2photo, B to A", "Paints a photo in van Gogh's manner."),
    _entry("sat2map", "maps, A to B", "Draws the street map of an aerial photo."),
    _entry("map2sat", "maps, B to A", "Makes the aerial photo that a street map might stand for."),
    _entry("cityscapes_photo2label", "cityscapes, A to B", "Draws the label map of a street, as a coloured picture."),
    _entry("cityscapes_label2photo", "cityscapes, B to A", "Makes a street from a coloured Cityscapes label map."),
    _entry("facades_photo2label", "facades, A to B", "Draws the label map of a house front, as a coloured picture."),
    _entry("facades_label2photo", "facades, B to A", "Makes a house front from a coloured CMP label map."),
    _entry(
        "iphone2dslr_flower", "iphone2dslr_flower, A to B", "Blurs what lies behind a flower, as a large lens does."
    ),
]
