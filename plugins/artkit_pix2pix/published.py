"""Published checkpoints of pix2pix: the catalogue, importing, and training on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from artkit import ModelError, ModelHeader, ModelSpec
from artkit.models.foreign import generator_header
from artkit.spec import Checkpoint
from artkit_pix2pix import SPEC

if TYPE_CHECKING:
    from torch import Tensor

    from artkit.models import Model

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


JUDGE = "discriminator.scales.0."  # our discriminator can have several scales; theirs is the first


def import_networks(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors, or None for files that are not all known networks, or a ResNet nobody gave to us.

    Raises ModelError unless one file is a generator and at most one a discriminator.
    """
    generators, judges = checkpoint.generators, checkpoint.discriminators
    unets = [network for _, network in generators if network.network.startswith("unet")]
    if not checkpoint.known or not (asked_for or unets):
        return None
    if len(generators) != 1 or len(judges) > 1:
        counts = f"{len(generators)} generators and {len(judges)} discriminators"
        raise ModelError(f"A model of {SPEC.name} has one generator and at most one discriminator; these are {counts}.")
    [(file, generator)] = generators
    header = generator_header(SPEC.name, file, checkpoint.hints)
    tensors = {f"generator.{name}": tensor for name, tensor in generator.tensors.items()}
    for _, judge in judges:
        tensors |= {f"{JUDGE}{name}": tensor for name, tensor in judge.tensors.items()}
    return header, tensors


BUILT_WITH = ("width", "norm", "dropout", "noise", "antialias")
SUBPIXEL_BUILT_WITH = ("blocks", "detail", "upsample")


def options_of(model: Model) -> dict[str, Any]:
    """Return the options of Pix2PixTraining that give networks of the same tensors."""
    from artkit.nn import discriminator_options

    header = model.header
    names = BUILT_WITH + (SUBPIXEL_BUILT_WITH if header.architecture == "subpixel" else ())
    options = {name: header.arguments[name] for name in names if name in header.arguments}
    if header.conditions:
        usual = header.arguments.get("usual", {})
        options |= {"conditions": list(header.conditions), "usual": list(usual.values())}
    judge = discriminator_options(model.tensors, "discriminator")
    return {**judge, "network": header.architecture, **options}
