"""iGAN: strokes of colour steer a generator, and the change is carried over to the photo.

Zhu, Krähenbühl, Shechtman, Efros, "Generative Visual Manipulation on the Natural Image Manifold", 2016. The networks, a
VAE and a GAN in one, and the way a change is carried over to a photo are those of the neural photo editor (Brock, Lim,
Ritchie, Weston, "Neural Photo Editing with Introspective Adversarial Networks", 2016), in small.
"""

from __future__ import annotations

from typing import Annotated, Literal

from artkit import Kind, MethodSpec, Need, Options, Port, hookimpl, option, packaged
from artkit.nn import Filters

Side = Literal[16, 32, 64, 128, 256]


class IganOptions(Options, frozen=True):
    """Options of an igan step."""

    steps: Annotated[
        int,
        option(
            "steps of the search for the picture, and again for its edit; 0 takes the encoder's word", ge=0, le=1000
        ),
    ] = 25
    projection: Annotated[
        Literal["hybrid", "encoder", "optimisation"],
        option(
            "how the photo is found: a search from the encoder's word, that word, or a search from the mean picture"
        ),
    ] = "hybrid"
    pull: Annotated[
        float,
        option("how strongly the edit is held where the picture was: more is tamer", ge=0, le=100),
    ] = 0.1
    edge: Annotated[float, option("weight of the edges that are drawn, beside the colours'", ge=0, le=100)] = 0.2
    share: Annotated[float, option("how far to go from the picture, 0, to its edit, 1", ge=0, le=2)] = 1.0
    morph: Annotated[
        int, option("pictures of -n that are the way from the picture to its edit, so many frames; 0: the edit", ge=0)
    ] = 0
    reach: Annotated[
        float,
        option("how far from the strokes the photo may change, as a share of its sides; 1 lets all of it", ge=0, le=1),
    ] = 0.25
    transfer: Annotated[
        bool, option("carry the change over to the photo, which keeps its details; else show what the generator makes")
    ] = True
    temperature: Annotated[
        float, option("spread of the noise that dreams start from: below 1 tamer, above 1 wilder", ge=0, le=4)
    ] = 0.8


class IganTraining(Options, frozen=True):
    """Options of igan training."""

    picture: Annotated[str | None, option("column of pictures; the first one when left out")] = None
    latent: Annotated[int, option("length of the code z", ge=1, le=1024)] = 64
    width: Annotated[Filters, option("filters of the generator and the encoder at the full size")] = 24
    discriminator_width: Annotated[Filters, option("filters of the discriminator's first level")] = 24
    start_from: Annotated[
        int, option("pictures whose principal components the networks start as; 0 for a start at random", ge=0)
    ] = 1500
    warm_up: Annotated[int, option("steps of reconstruction alone, before the discriminator joins in", ge=0)] = 200
    pixels: Annotated[float, option("weight of the L1 loss of reconstructions", ge=0)] = 10.0
    lowpass: Annotated[float, option("weight of an L1 loss on their averages over 8 x 8 pixels", ge=0)] = 10.0
    matching: Annotated[float, option("weight of feature matching of reconstructions", ge=0)] = 1.0
    adversarial: Annotated[float, option("weight of the adversarial loss of reconstructions and dreams", ge=0)] = 0.2
    kl: Annotated[float, option("weight of the divergence of codes from noise", ge=0)] = 0.05
    consistency: Annotated[float, option("weight of the L1 of a dream's code to what is read back", ge=0)] = 0.5


SPEC = MethodSpec(
    name="igan",
    summary="Edit a photo with strokes of colour: a generator finds what they mean.",
    inputs=(
        Port("image", Kind.IMAGE, "a photo to edit; a dream where there is none", required=False),
        Port("edit", Kind.IMAGE, "strokes of colour, elsewhere transparent", required=False, any_size=True),
        Port("mask", Kind.MASK, "where the strokes are", required=False, any_size=True, alpha_of="edit"),
        Port("edges", Kind.MASK, "lines to follow, white on black", required=False, any_size=True),
    ),
    output=Kind.IMAGE,
    options=IganOptions,
    translator="artkit_igan.translator:Igan",
    trainer="artkit_igan.trainer:IganTrainer",
    training_options=IganTraining,
    trains_on=(Need.PICTURES,),
    default_model="landscape",
    models=(packaged("landscape", "Light and colours of landscapes, to edit photos with strokes.", "CC0-1.0"),),
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register igan, with landscapes in any light."""
    return [SPEC]
