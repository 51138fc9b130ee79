"""The next frame of a clip, from the three that were last seen.

`pgn` and `prednet` are the networks of Lotter, Kreiman, Cox, "Unsupervised Learning of Visual Structure using
Predictive Generative Networks", 2015, and "Deep Predictive Coding Networks for Video Prediction and Unsupervised
Learning", 2016;
`flow` moves the last frame and paints what comes into view (after Mathieu, Couprie, LeCun 2015, who name what a mean of
futures looks like, and Liu et al., "Video Frame Synthesis using Deep Voxel Flow", 2017).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from artkit import Kind, MethodSpec, Need, Options, Port, hookimpl, option, packaged
from artkit.nn import DiscriminatorOptions, Filters


class NextFrameOptions(Options, frozen=True):
    """Options of a nextframe step."""

    ahead: Annotated[
        int, option("how many frames ahead to look: beyond 1 it takes its own pictures for seen", ge=1, le=256)
    ] = 1


class ExtrapolateOptions(Options, frozen=True):
    """Options of an extrapolate step."""

    ahead: Annotated[int, option("how many frames ahead to look", ge=1, le=256)] = 1


class NextFrameTraining(DiscriminatorOptions, frozen=True):
    """Options of nextframe training. `adversarial=0`, the default, leaves the discriminator out."""

    frame: Annotated[str | None, option("column of frames; the first one when left out")] = None
    network: Annotated[
        Literal["flow", "pgn", "prednet"],
        option("the last frame moved and mended, a recurrent encoder and decoder, or layers that predict each other"),
    ] = "flow"
    width: Annotated[Filters, option("filters of the trunk; of the second of prednet's three layers")] = 48
    blocks: Annotated[int, option("residual blocks of the trunk", ge=1, le=64)] = 4
    detail: Annotated[tuple[Filters, Filters], option("filters at half and at full resolution")] = (24, 16)
    adversarial: Annotated[float, option("weight of the adversarial loss; the square error's is 1", ge=0)] = 0.0
    matching: Annotated[float, option("weight of feature matching, where there is a discriminator", ge=0)] = 0.0
    gradients: Annotated[
        Annotated[float, Meta(ge=0)], option("weight of an L1 loss of gradients, which keeps borders (Mathieu et al.)")
    ] = 0.0


SPEC = MethodSpec(
    name="nextframe",
    group="clips",
    summary="Predict the next frame of a clip from the last three.",
    inputs=(
        Port("image", Kind.IMAGE, "the last frame"),
        Port("before", Kind.IMAGE, "the one before it", previous=1),
        Port("before2", Kind.IMAGE, "the one before that", previous=2),
    ),
    output=Kind.IMAGE,
    options=NextFrameOptions,
    translator="artkit_nextframe.translator:NextFrame",
    trainer="artkit_nextframe.trainer:NextFrameTrainer",
    training_options=NextFrameTraining,
    trains_on=(Need.FRAMES,),
    default_model="walks",
    models=(packaged("walks", "Slow camera moves through the atelier's landscapes, by motion.", "CC0-1.0"),),
)


EXTRAPOLATE = MethodSpec(
    name="extrapolate",
    group="clips",
    summary="Show the next frame of a clip as it is if all goes on as it moved.",
    inputs=(
        Port("image", Kind.IMAGE, "the last frame"),
        Port("before", Kind.IMAGE, "the one before it", previous=1),
    ),
    output=Kind.IMAGE,
    options=ExtrapolateOptions,
    translator="artkit_nextframe.extrapolating:Extrapolate",
    needs_model=False,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register nextframe, with the model of camera moves, and what it is measured by."""
    return [SPEC, EXTRAPOLATE]
