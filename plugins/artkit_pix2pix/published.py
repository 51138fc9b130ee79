"""Published checkpoints of pix2pix: the catalogue, and importing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artkit import ModelError, ModelHeader
from artkit.models.foreign import generator_header, published_models
from artkit.spec import Checkpoint
from artkit_pix2pix import SPEC

if TYPE_CHECKING:
    from torch import Tensor

SIZE = 217_700_000  # bytes, about: a U-Net-256 of 64 filters in fp32
CATALOGUE = published_models(
    "pix2pix",
    "pix2pix/models-pytorch",
    SIZE,
    [
        ("edges2shoes", "edges2shoes, A to B", "Makes a shoe from its edges, black on white."),
        ("sat2map", "maps, A to B", "Draws the street map of an aerial photo."),
        ("map2sat", "maps, B to A", "Makes the aerial photo that a street map might stand for."),
        ("facades_label2photo", "facades, B to A", "Makes a house front from a coloured CMP label map."),
        ("day2night", "day2night, A to B", "Brings night to a landscape by day."),
    ],
)


FIRST_SCALE = "discriminator.scales.0."  # our discriminators can have several scales; theirs is the first


def import_networks(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors, or None for files that are not all known networks, or a ResNet nobody gave to us.

    Raises ModelError unless one file is a generator and at most one a discriminator.
    """
    generators, discriminators = checkpoint.generators, checkpoint.discriminators
    unets = [network for _, network in generators if network.network.startswith("unet")]
    if not checkpoint.known or not (asked_for or unets):
        return None
    if len(generators) != 1 or len(discriminators) > 1:
        counts = f"{len(generators)} generators and {len(discriminators)} discriminators"
        raise ModelError(f"A model of {SPEC.name} has one generator and at most one discriminator; these are {counts}.")
    [(file, generator)] = generators
    tensors = {f"generator.{name}": tensor for name, tensor in generator.tensors.items()}
    for _, discriminator in discriminators:
        tensors |= {f"{FIRST_SCALE}{name}": tensor for name, tensor in discriminator.tensors.items()}
    return generator_header(SPEC.name, file, checkpoint.hints), tensors
