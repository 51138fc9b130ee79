"""FUNIT: the content of one picture in the look of others, of a class never seen in training (Liu, Huang, Mallya,
Karras, Aila, Lehtinen, Kautz, "Few-Shot Unsupervised Image-to-Image Translation", 2019).
"""

from __future__ import annotations

from typing import Annotated, Literal

from artkit import Kind, MethodSpec, Need, Options, Port, Tiling, hookimpl, option, packaged
from artkit.nn import DiscriminatorOptions, GanMode, NormKind, ReceptiveField, Width, WorkingSize

MOST_PICTURES = 20
"""Pictures of a class at most: K of the paper, who go as far."""


class FunitOptions(Options, frozen=True):
    """Options of a funit step."""

    strength: Annotated[
        float, option("how far from the picture's own look to that of the style pictures", ge=0, le=1)
    ] = 1.0
    working_size: WorkingSize = None


class FunitTraining(DiscriminatorOptions, frozen=True):
    """Options of funit training.

    The defaults are for an hour of one processor core, on data with a column of the same scenes in another look.
    Without it the objective is the paper's.
    """

    picture: Annotated[str | None, option("column of pictures that have a class; the first one when left out")] = None
    classes: Annotated[
        tuple[str, ...],
        option("text columns whose words together are the class; the first with two or more words when left out"),
    ] = ()
    partner: Annotated[
        str | None,
        option("column of other pictures of the same class; 'partner' where the data have it, else the pictures"),
    ] = None
    content: Annotated[
        str | None,
        option(
            "column of the same scenes in another look, from which the picture is to be made; 'content' where the data "
            "have it, else nothing is paired, as in the paper"
        ),
    ] = None
    width: Annotated[int, option("filters of the trunk", ge=4, le=512)] = 80
    encoder_blocks: Annotated[int, option("residual blocks of the content encoder", ge=1, le=64)] = 2
    blocks: Annotated[int, option("residual blocks of the decoder, which the class code steers", ge=1, le=64)] = 4
    detail: Annotated[tuple[Width, Width], option("filters of the decoder at half and at full resolution")] = (32, 24)
    code: Annotated[int, option("length of the class code", ge=1, le=1024)] = 64
    class_width: Annotated[int, option("filters of the class encoder's first level", ge=4, le=256)] = 24
    noise: Annotated[
        Literal["none", "strokes"], option("noise z: brush strokes laid from a seed, seen by the decoder")
    ] = "strokes"
    start_from: Annotated[
        int, option("pictures that the first class codes are worked out from; 0: at random", ge=0)
    ] = 240
    gan: Annotated[GanMode, option("adversarial loss")] = "hinge"
    receptive_field: Annotated[
        ReceptiveField, option("receptive field of the discriminator: the side of its patches, in pixels")
    ] = 34
    widths: Annotated[
        tuple[Width, ...],
        option("filters of the discriminator's first level, one number a scale, finest first", min_length=1),
    ] = (32, 24)
    discriminator_norm: Annotated[NormKind, option("normalisation of the discriminator")] = "none"
    spectral: Annotated[bool, option("spectral normalisation in the discriminator")] = True
    r1: Annotated[float, option("weight of the gradient penalty on real pictures", ge=0)] = 1.0
    mismatched: Annotated[
        float, option("weight of real pictures shown with another's class, as fakes; not the paper's", ge=0)
    ] = 0.25
    matching: Annotated[float, option("weight of feature matching, averaged over layers", ge=0)] = 10.0
    reconstruction: Annotated[float, option("weight of the L1 loss", ge=0)] = 4.0
    lowpass: Annotated[float, option("weight of the L1 loss of averages over 8 x 8 pixels; not the paper's", ge=0)] = (
        10.0
    )
    contrast: Annotated[
        float, option("weight of the L1 loss of log local contrast, how strong strokes are; not the paper's", ge=0)
    ] = 2.0


SPEC = MethodSpec(
    name="funit",
    summary="Show a picture in the look of one to twenty others, of a class never seen in training.",
    inputs=(
        Port("image", Kind.IMAGE, "the picture whose content is kept"),
        Port("style", Kind.IMAGE, "pictures of one look", any_size=True, many=True, most=MOST_PICTURES),
    ),
    output=Kind.IMAGE,
    flickers=True,
    options=FunitOptions,
    translator="artkit_funit.translator:Funit",
    trainer="artkit_funit.trainer:FunitTrainer",
    training_options=FunitTraining,
    trains_on=(Need.CLASSES,),
    default_model="atelier",
    models=(
        packaged(
            "atelier",
            "Shows photos in the light and the hand of up to twenty pictures, learned from nine styles.",
            "CC0-1.0",
        ),
    ),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register funit, with the atelier's model."""
    return [SPEC]
