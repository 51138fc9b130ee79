"""Published checkpoints of CycleGAN and CUT: the catalogue, importing, and training on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from artkit import Kind, ModelError, ModelHeader, ModelSpec
from artkit.models.foreign import generator_header
from artkit.spec import Checkpoint, ForeignFile, Recognised
from artkit_cyclegan import SPEC

if TYPE_CHECKING:
    from torch import Tensor

    from artkit.models import Model

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


AB, BA = "AtoB", "BtoA"
GENERATORS = {AB: "generator_a", BA: "generator_b"}
DISCRIMINATORS = {AB: "discriminator_a", BA: "discriminator_b"}
SCALE = "scales.0."  # our discriminators can have several scales; theirs is the first

Networks = dict[str, tuple[ForeignFile, Recognised]]


def import_networks(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors, or None for files that are not all known networks, or a U-Net nobody gave to us.

    One generator translates as the hints say, A to B where they say nothing. Of several files each goes the way its
    name says (`..._G_A`, `..._D_B`). Raises ModelError for files that make no model.
    """
    resnets = [network for _, network in checkpoint.generators if network.network.startswith("resnet")]
    if not checkpoint.known or not (asked_for or resnets):
        return None
    generators, judges = (_sort(found, checkpoint) for found in (checkpoint.generators, checkpoint.discriminators))
    if not generators:
        raise ModelError(f"A model of {SPEC.name} needs a generator; these are {len(judges)} discriminators.")
    arguments = {direction: _forth(direction, network.arguments) for direction, (_, network) in generators.items()}
    first, *others = generators
    if any(arguments[other] != arguments[first] for other in others) or len(_networks(generators)) > 1:
        raise ModelError(
            f"{' and '.join(f'{file.path} is {network.words}' for file, network in generators.values())}: "
            "the two generators of one model are alike; import them one by one."
        )
    header = generator_header(SPEC.name, generators[first][0], checkpoint.hints)
    if header.inputs["image"] is Kind.LABELS:
        raise ModelError(f"{generators[first][0].path} takes label maps; give --method pix2pix, which does.")
    known = {"generator": arguments[first], "directions": [way for way in (AB, BA) if way in generators]}
    header = msgspec.structs.replace(header, arguments=known, classes=None)
    return header, _tensors(generators, GENERATORS, "") | _tensors(judges, DISCRIMINATORS, SCALE)


def _sort(networks: list[tuple[ForeignFile, Recognised]], checkpoint: Checkpoint) -> Networks:
    """Return each network by the direction that it goes, or that it judges."""
    if len(networks) == 1 and (len(checkpoint.files) == 1 or networks[0][0].direction is None):
        return {checkpoint.hints.direction or AB: networks[0]}
    sorted_by = {file.direction: (file, network) for file, network in networks if file.direction}
    if len(sorted_by) < len(networks):
        files = ", ".join(str(file.path) for file, _ in networks)
        raise ModelError(f"Which of {files} goes from A to B? Name one ..._A.pth and the other ..._B.pth.")
    return {str(direction): network for direction, network in sorted_by.items()}


def _forth(direction: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a generator's arguments as they would be from A to B, as our headers hold them."""
    if direction == AB:
        return arguments
    return arguments | {"in_channels": arguments["out_channels"], "out_channels": arguments["in_channels"]}


def _networks(generators: Networks) -> set[str]:
    return {network.network for _, network in generators.values()}


def _tensors(networks: Networks, names: dict[str, str], prefix: str) -> dict[str, Tensor]:
    return {
        f"{names[direction]}.{prefix}{name}": tensor
        for direction, (_, network) in networks.items()
        for name, tensor in network.tensors.items()
    }


BUILT_WITH = ("width", "norm", "dropout")
RESNET_BUILT_WITH = ("upsample", "antialias")
OURS_BUILT_WITH = ("blocks", "detail")


def options_of(model: Model) -> dict[str, Any]:
    """Return the options of CycleGANTraining that give networks of the same tensors."""
    from artkit.nn import discriminator_options
    from artkit_cyclegan.networks import MANNER, OURS

    header = model.header
    generator = header.arguments["generator"]
    names = BUILT_WITH + (OURS_BUILT_WITH if header.architecture in OURS else RESNET_BUILT_WITH)
    options = {name: generator[name] for name in names if name in generator}
    channels = [generator["in_channels"], generator["out_channels"]]
    options |= {"network": header.architecture, "channels": channels}
    if MANNER in header.conditions:
        options["target"] = list(header.conditions[MANNER])
    return discriminator_options(model.tensors, "discriminator_a") | options
