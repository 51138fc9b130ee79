"""Pix2Pix: learn a mapping from paired pictures (Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional
Adversarial Networks", 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from artkit import Kind, MethodSpec, ModelSpec, Need, Options, Port, Tiling, hookimpl, option, packaged
from artkit.nn import GanOptions, NormKind, WorkingSize

if TYPE_CHECKING:
    from torch import Tensor

    from artkit import ModelHeader
    from artkit.spec import Checkpoint


class Pix2PixOptions(Options, frozen=True):
    """Options of a pix2pix step."""

    condition: Annotated[
        str | None,
        option("what conditions a model, such as 'dusk' or 'dusk misty'; 'any' lets the seed choose what is left out"),
    ] = None
    stochastic: Annotated[
        bool, option("keep dropout on, as the paper does at test time; the seed chooses the masks")
    ] = False
    statistics: Annotated[
        Literal["picture", "running"],
        option("batch norm by each picture's own statistics, as the paper at test time, or by those kept in training"),
    ] = "picture"
    working_size: WorkingSize = None


class Pix2PixTraining(GanOptions, frozen=True):
    """Options of pix2pix training; the defaults are the paper's."""

    source: Annotated[str | None, option("column to translate from; the first label map or picture when left out")] = (
        None
    )
    target: Annotated[str | None, option("column to translate to; the first other picture when left out")] = None
    network: Annotated[Literal["unet_256", "unet_128", "resnet_9", "resnet_6", "subpixel"], option("the generator")] = (
        "unet_256"
    )
    dropout: Annotated[bool, option("dropout in the generator: the paper's source of noise")] = True
    noise: Annotated[
        Literal["none", "strokes"], option("noise z: brush strokes laid from a seed, seen by the generator")
    ] = "none"
    heights: Annotated[
        bool, option("the networks see how far down its picture each pixel lies, which a crop does not show")
    ] = False
    conditions: Annotated[
        tuple[str, ...], option("text columns that condition the generator, such as time,weather; for subpixel")
    ] = ()
    default_conditions: Annotated[
        tuple[str, ...], option("their words where nothing is known; else each column's first")
    ] = ()
    words_rate: Annotated[
        float, option("learning rate of what words do, times that of the rest: 10 where words are new to a model", gt=0)
    ] = 1.0
    discriminator_norm: Annotated[NormKind, option("normalisation of the discriminator")] = "batch"
    adversarial_end: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        option("what the adversarial weight falls to, in a line, while the learning rate falls; it stays if left out"),
    ] = None
    l1: Annotated[float, option("weight of the L1 loss", ge=0)] = 100.0
    l1_cell: Annotated[int, option("L1 compares averages over cells of this side: 1 compares pixels", ge=1, le=256)] = 1
    lowpass: Annotated[float, option("weight of a second L1 on averages over 8 x 8 pixels", ge=0)] = 0.0
    matching: Annotated[float, option("weight of feature matching", ge=0)] = 0.0
    input_noise: Annotated[
        Literal["none", "gaussian", "labels"],
        option("noise on the input in training: gaussian on its values, or labels swapped at random places"),
    ] = "none"
    input_noise_level: Annotated[float, option("its standard deviation, or the share of places", ge=0, le=1)] = 0.1


SPEC = MethodSpec(
    name="pix2pix",
    summary="Translate a label map or picture as learned from pairs.",
    inputs=(Port("image", Kind.IMAGE, "a picture, or a label map where the model was trained on label maps"),),
    output=Kind.IMAGE,
    flickers=True,
    options=Pix2PixOptions,
    translator="artkit_pix2pix.translator:Pix2Pix",
    trainer="artkit_pix2pix.trainer:Pix2PixTrainer",
    training_options=Pix2PixTraining,
    trains_on=(Need.PAIRS,),
    default_model="landscape",
    models=(
        packaged("landscape", "Paints a landscape label map, as an impressionist or in five other hands.", "CC0-1.0"),
        packaged("renoir", "Paints a photo as Renoir painted one river, learned from nst.", "CC0-1.0"),
    ),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register pix2pix, with the landscape painter."""
    return [SPEC]


@hookimpl
def register_models() -> list[ModelSpec]:
    """Register the models that can be pulled."""
    from artkit_pix2pix.published import CATALOGUE

    return CATALOGUE


@hookimpl
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Take U-Nets, and any generator meant for pix2pix, of pytorch-CycleGAN-and-pix2pix and CUT."""
    if method not in (None, SPEC.name):
        return None
    from artkit_pix2pix.published import import_networks

    return import_networks(checkpoint, asked_for=method is not None)
