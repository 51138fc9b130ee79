"""SemGAN: label maps generated from noise, or segmented from a picture (Ghelfi, Galeone, De Simoni, Di Mattia,
"Adversarial Pixel-Level Generation of Semantic Images", 2019).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from artkit import Kind, MethodSpec, Need, Options, Port, Tiling, hookimpl, option, packaged
from artkit.nn import GanMode


class SemganOptions(Options, frozen=True):
    """Options of a semgan step."""

    temperature: Annotated[
        float, option("spread of the noise that dreams start from: below 1 tamer, above 1 wilder", ge=0, le=4)
    ] = 1.0
    classes: Annotated[
        str | None, option("classes the map may use, such as 'sky hill grass'; all of the model's when left out")
    ] = None


class SemganTraining(Options, frozen=True):
    """Options of semgan training; the defaults of the generator are the paper's."""

    parts: Annotated[
        Literal["both", "generate", "segment"],
        option("what to train: generating maps from noise, segmenting pictures, or both"),
    ] = "both"
    labels: Annotated[str | None, option("column of label maps; the first one when left out")] = None
    latent: Annotated[int, option("length of the noise vector z", ge=1, le=4096)] = 128
    resolution: Annotated[Literal[32, 64, 128, 256], option("side of the generated maps, in pixels")] = 128
    width: Annotated[
        int, option("filters of the generator's last inner level; each level before has twice as many", ge=2, le=256)
    ] = 64
    discriminator_width: Annotated[
        int, option("filters of the discriminator's first level, and of the encoder's", ge=2, le=256)
    ] = 32
    colours: Annotated[
        bool,
        option("generate colours in place of classes, as the GANs that the paper compares with; for parts=generate"),
    ] = False
    fakes: Annotated[
        Literal["soft", "gumbel"],
        option("what the discriminator sees: soft distributions, or one-hot draws with a straight-through gradient"),
    ] = "soft"
    places: Annotated[
        bool, option("the discriminator judges places of a map too, not only the whole: for shapes of small things")
    ] = False
    gan: Annotated[GanMode, option("adversarial loss")] = "relativistic"
    r1: Annotated[float, option("weight of the gradient penalty on real maps", ge=0)] = 2.0
    reconstruction: Annotated[
        float, option("weight of reconstructing real maps from an encoder's z; 0 is the plain adversarial game", ge=0)
    ] = 4.0
    kl: Annotated[float, option("weight, in it, of keeping the encoder's z like plain noise", ge=0)] = 8.0
    warm_up: Annotated[int, option("steps of reconstruction alone, before the adversarial game begins", ge=0)] = 500
    shares: Annotated[float, option("weight of matching how much of the maps each class covers", ge=0)] = 1.0
    things: Annotated[
        tuple[str, ...],
        option("classes with a shape, such as [sun,house]: dreams' parts of them are redrawn in shapes of the data"),
    ] = ()
    segmenter_width: Annotated[int, option("filters of the segmenter", ge=4, le=1024)] = 48
    segmenter_dilations: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=64)], ...], option("dilation of each of its residual blocks")
    ] = (1, 2, 4)
    patches: Annotated[int, option("damaged patches the segmenter sees a step", ge=1)] = 8
    patch: Annotated[int, option("their side in pixels, an even number", ge=16)] = 64


SPEC = MethodSpec(
    name="semgan",
    summary="Dream label maps from noise, or segment a picture: read it as a label map.",
    inputs=(
        Port("image", Kind.IMAGE, "a drawn, blurred or compressed map to segment; without it, dream", required=False),
    ),
    output=Kind.LABELS,
    options=SemganOptions,
    translator="artkit_semgan.translator:Semgan",
    trainer="artkit_semgan.trainer:SemganTrainer",
    training_options=SemganTraining,
    trains_on=(Need.LABELS,),
    default_model="landscape",
    models=(packaged("landscape", "Dreams landscapes of twelve classes, and reads drawings of them.", "CC0-1.0"),),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register semgan, with the landscape model."""
    return [SPEC]
