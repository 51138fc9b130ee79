"""Training options that methods share: those of generators and of discriminators. Imports no torch.

A method's training options inherit them, `class MyTraining(DiscriminatorOptions, frozen=True)`, and declare a field
anew for another default.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from artkit.spec import Options, option

GanMode = Literal["vanilla", "lsgan", "hinge", "relativistic"]
"""Adversarial losses; see `artkit.nn.discriminator_loss`."""
NormKind = Literal["instance", "batch", "none"]
"""Normalisation layers; see `artkit.nn.make_norm`."""
ReceptiveField = Literal[1, 16, 34, 70, 142, 286]
"""Sides, in pixels, of what one logit of a patch discriminator sees."""
Width = Annotated[int, option("filters of one scale", ge=1, le=1024)]


class DiscriminatorOptions(Options, frozen=True):
    """Options of a PatchGAN discriminator and its loss; `artkit.nn.make_discriminator` builds it."""

    gan: Annotated[GanMode, option("adversarial loss")] = "vanilla"
    adversarial: Annotated[float, option("weight of the adversarial loss", ge=0)] = 1.0
    receptive_field: Annotated[
        ReceptiveField, option("receptive field of the discriminator: the side of its patches, in pixels")
    ] = 70
    widths: Annotated[
        tuple[Width, ...],
        option("filters of the discriminator's first level, one number a scale, finest first", min_length=1),
    ] = (64,)
    discriminator_norm: Annotated[NormKind, option("normalisation of the discriminator")] = "instance"
    spectral: Annotated[bool, option("spectral normalisation in the discriminator")] = False


class GanOptions(DiscriminatorOptions, frozen=True):
    """Options of a generator, U-Net, ResNet or subpixel, besides those of its discriminator.

    `artkit.nn.generator_arguments` makes the generator's arguments of them. A method adds `network`, which names those
    that it knows.
    """

    width: Annotated[int, option("filters of the generator's first level (or trunk, for subpixel)", ge=4, le=1024)] = 64
    blocks: Annotated[int, option("residual blocks of a subpixel generator", ge=1, le=64)] = 6
    detail: Annotated[tuple[Width, Width], option("filters of a subpixel generator at half and at full resolution")] = (
        32,
        24,
    )
    upsample: Annotated[
        Literal["transposed", "resize", "shuffle"] | None,
        option(
            "how a generator goes back up: resize leaves no grid; transposed for ResNets and resize for subpixel when "
            "left out"
        ),
    ] = None
    norm: Annotated[NormKind, option("normalisation of the generator")] = "batch"
    dropout: Annotated[bool, option("dropout in the generator, U-Net or ResNet")] = False
    antialias: Annotated[
        bool, option("halve and double through blur filters, as CUT does, in ResNet generators and discriminators")
    ] = False


WorkingSize = Annotated[
    Annotated[int, Meta(ge=0, le=65_536)] | None,
    option(
        "longest side that it paints at: larger pictures are painted so and enlarged along strokes and borders; "
        "0 paints at their own size; left out, 512 where a model lays strokes, else 0"
    ),
]
"""A method's option for the size at which it paints; see `artkit.nn.WorkingResolution`."""
