"""CAN: pictures that look like art and like none of its known styles (Elgammal, Liu, Elhoseiny, Mazzone, "CAN: Creative
Adversarial Networks, Generating 'Art' by Learning About Styles and Deviating from Style Norms", 2017).
"""

from __future__ import annotations

from typing import Annotated, Literal

from artkit import Kind, MethodSpec, Need, Options, hookimpl, option, packaged
from artkit.nn import GanMode


class CanOptions(Options, frozen=True):
    """Options of a can step."""

    temperature: Annotated[
        float, option("spread of the noise that dreams start from: below 1 tamer, above 1 wilder", ge=0, le=4)
    ] = 1.0
    interpolate: Annotated[
        int, option("walk: seeds 8, 9, ... 16 lead from what seed 1 dreams to what seed 2 does, if this is 8", ge=1)
    ] = 1
    towards: Annotated[int | None, option("a seed to dream part of the way to")] = None
    share: Annotated[float, option("how far: 0 is this dream, 1 the other one", ge=0, le=1)] = 0.5
    side: Annotated[int, option("pixels of each side of a square picture; 0 takes the size of the run", ge=0)] = 0


class CanTraining(Options, frozen=True):
    """Options of can training; the defaults are the paper's form and its public implementation's numbers."""

    picture: Annotated[str | None, option("column of pictures; the first one when left out")] = None
    styles: Annotated[str | None, option("text column of styles; the first with two or more when left out")] = None
    balanced: Annotated[bool, option("show every style equally often, however few pictures it has")] = True
    ambiguity: Annotated[float, option("weight of the style ambiguity; 0 is the plain GAN", ge=0)] = 1.0
    style_form: Annotated[
        Literal["sigmoid", "softmax"], option("style as K yes-or-no questions, as in the paper, or as one choice of K")
    ] = "sigmoid"
    latent: Annotated[int, option("length of the noise vector z", ge=1, le=4096)] = 100
    width: Annotated[
        int, option("filters of the generator's last inner level; at most 16 times as many before", ge=2, le=256)
    ] = 64
    upsample: Annotated[
        Literal["transposed", "resize"], option("transposed convolutions, or resizing before plain ones: no grid")
    ] = "transposed"
    noise: Annotated[
        Literal["none", "strokes", "hands"],
        option("whether it also sees a random field of brush strokes, and whether those are laid by many hands"),
    ] = "none"
    modulate: Annotated[bool, option("z scales and shifts the features of every level, not the first alone")] = False
    discriminator_width: Annotated[int, option("filters of the discriminator's first level", ge=2, le=256)] = 32
    discriminator_norm: Annotated[Literal["batch", "none"], option("normalisation of the discriminator")] = "batch"
    spectral: Annotated[bool, option("spectral normalisation in the discriminator")] = False
    patches: Annotated[bool, option("whether the discriminator looks at patches too, not only at whole pictures")] = (
        False
    )
    gan: Annotated[GanMode, option("adversarial loss")] = "vanilla"
    r1: Annotated[float, option("weight of the gradient penalty on real pictures", ge=0)] = 0.0
    augment: Annotated[bool, option("augment what the discriminator sees, real and fake alike")] = False


SPEC = MethodSpec(
    name="can",
    summary="Dream pictures that look like art, in no known style.",
    inputs=(),
    output=Kind.IMAGE,
    options=CanOptions,
    translator="artkit_can.translator:Can",
    trainer="artkit_can.trainer:CanTrainer",
    training_options=CanTraining,
    trains_on=(Need.CLASSES,),
    default_model="atelier",
    models=(packaged("atelier", "Dreams between ten styles of painting, in many palettes and hands.", "CC0-1.0"),),
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register can, with the atelier's model."""
    return [SPEC]
