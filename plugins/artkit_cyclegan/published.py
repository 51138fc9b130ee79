"""Published checkpoints of CycleGAN and CUT: the catalogue, and importing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from artkit import Kind, ModelError, ModelHeader
from artkit.models.foreign import generator_header, published_models, recognised_arguments
from artkit.spec import Checkpoint, Direction, ForeignFile, Recognised
from artkit_cyclegan import AB, BA, GENERATORS, SPEC

if TYPE_CHECKING:
    from torch import Tensor

SIZE = 45_600_000  # bytes, about: a ResNet-9 of 64 filters in fp32
CATALOGUE = published_models(
    "cyclegan",
    "cyclegan/pretrained_models",
    SIZE,
    [
        ("apple2orange", "apple2orange, A to B", "Turns apples into oranges."),
        ("orange2apple", "apple2orange, B to A", "Turns oranges into apples."),
        ("summer2winter_yosemite", "summer2winter_yosemite, A to B", "Brings winter to a summer landscape."),
        ("winter2summer_yosemite", "summer2winter_yosemite, B to A", "Brings summer to a winter landscape."),
        ("horse2zebra", "horse2zebra, A to B", "Turns horses into zebras."),
        ("zebra2horse", "horse2zebra, B to A", "Turns zebras into horses."),
        ("monet2photo", "monet2photo, A to B", "Makes the photo that a painting by Monet might show."),
        ("style_monet", "monet2photo, B to A", "Paints a photo in Monet's manner."),
        ("style_cezanne", "cezanne2photo, B to A", "Paints a photo in Cézanne's manner."),
        ("style_ukiyoe", "ukiyoe2photo, B to A", "Makes an ukiyo-e print of a photo."),
        ("style_vangogh", "vangogh2photo, B to A", "Paints a photo in van Gogh's manner."),
        ("sat2map", "maps, A to B", "Draws the street map of an aerial photo."),
        ("map2sat", "maps, B to A", "Makes the aerial photo that a street map might stand for."),
        ("cityscapes_photo2label", "cityscapes, A to B", "Draws the label map of a street, as a coloured picture."),
        ("cityscapes_label2photo", "cityscapes, B to A", "Makes a street from a coloured Cityscapes label map."),
        ("facades_photo2label", "facades, A to B", "Draws the label map of a house front, as a coloured picture."),
        ("facades_label2photo", "facades, B to A", "Makes a house front from a coloured CMP label map."),
        ("iphone2dslr_flower", "iphone2dslr_flower, A to B", "Blurs what lies behind a flower, as a large lens does."),
    ],
)


DISCRIMINATORS: dict[Direction, str] = {AB: "discriminator_a", BA: "discriminator_b"}
SCALE = "scales.0."  # our discriminators can have several scales; theirs is the first

Networks = dict[Direction, tuple[ForeignFile, Recognised]]


def import_networks(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors, or None for files that are not all known networks, or a U-Net nobody gave to us.

    One generator translates as the hints say, A to B where they say nothing. Of several files each goes the way its
    name says (`..._G_A`, `..._D_B`). Raises ModelError for files that make no model.
    """
    resnets = [network for _, network in checkpoint.generators if network.network.startswith("resnet")]
    if not checkpoint.known or not (asked_for or resnets):
        return None
    generators, discriminators = (
        _sort(networks, checkpoint) for networks in (checkpoint.generators, checkpoint.discriminators)
    )
    if not generators:
        raise ModelError(f"A model of {SPEC.name} needs a generator; these are {len(discriminators)} discriminators.")
    header = _header(generators, checkpoint)
    return header, _tensors(generators, GENERATORS, "") | _tensors(discriminators, DISCRIMINATORS, SCALE)


def _header(generators: Networks, checkpoint: Checkpoint) -> ModelHeader:
    """Return the header of a model of these generators, which must be alike."""
    from artkit.nn import exchange_channels
    from artkit_cyclegan.networks import CycleGANArguments

    file = next(iter(generators.values()))[0]
    header = generator_header(SPEC.name, file, checkpoint.hints)
    if header.inputs["image"] is Kind.LABELS:
        raise ModelError(f"{file.path} takes label maps; give --method pix2pix, which does.")
    found = {way: recognised_arguments(network) for way, (_, network) in generators.items()}
    forth, *others = [arguments if way == AB else exchange_channels(arguments) for way, arguments in found.items()]
    if any(other != forth for other in others):
        words = " and ".join(f"{file.path} is {network.words}" for file, network in generators.values())
        raise ModelError(f"{words}: the two generators of one model are alike; import them one by one.")
    arguments = CycleGANArguments(generator=forth, directions=tuple(way for way in (AB, BA) if way in generators))
    return msgspec.structs.replace(header, arguments=arguments.record(), classes=None)


def _sort(networks: list[tuple[ForeignFile, Recognised]], checkpoint: Checkpoint) -> Networks:
    """Return each network by the direction that it goes, or whose fakes it sees."""
    if len(networks) == 1 and (len(checkpoint.files) == 1 or networks[0][0].direction is None):
        return {checkpoint.hints.direction or AB: networks[0]}
    sorted_by = {file.direction: (file, network) for file, network in networks if file.direction}
    if len(sorted_by) < len(networks):
        files = ", ".join(str(file.path) for file, _ in networks)
        raise ModelError(f"Which of {files} goes from A to B? Name one ..._A.pth and the other ..._B.pth.")
    return {direction: network for direction, network in sorted_by.items() if direction}


def _tensors(networks: Networks, names: Mapping[Direction, str], prefix: str) -> dict[str, Tensor]:
    return {
        f"{names[direction]}.{prefix}{name}": tensor
        for direction, (_, network) in networks.items()
        for name, tensor in network.tensors.items()
    }
