"""SPADE: pictures from label maps, in the light and style of another picture (Park, Liu, Wang, Zhu, "Semantic Image
Synthesis with Spatially-Adaptive Normalization", 2019); its demonstration is known as GauGAN.
"""

from __future__ import annotations

from typing import Annotated, Literal

from artkit import Kind, MethodSpec, Need, Options, Port, Tiling, hookimpl, option, packaged
from artkit.nn import DiscriminatorOptions, GanMode, NormKind, ReceptiveField, Width, WorkingSize

CONDITIONS = {"light": "time", "weather": "weather", "style": "style"}
"""The conditions that options name, and the text columns that training learns them from."""


class SpadeOptions(Options, frozen=True):
    """Options of a spade step."""

    light: Annotated[
        str | None,
        option("the time of day by a word the model knows, such as dusk; 'any' lets the seed choose", condition="time"),
    ] = None
    weather: Annotated[str | None, option("the weather by a word the model knows, or 'any'")] = None
    style: Annotated[
        str | None, option("the style by a word the model knows, or 'any'; a picture goes to the port of this name")
    ] = None
    strength: Annotated[
        float, option("how far from the model's default light and style to the ones asked for", ge=0, le=1)
    ] = 1.0
    working_size: WorkingSize = None


class SpadeTraining(DiscriminatorOptions, frozen=True):
    """Options of spade training.

    The defaults are for hours of one processor core. The paper's are in `examples/recipes/spade-paper.toml`.
    """

    source: Annotated[str | None, option("column of label maps; the first when left out")] = None
    target: Annotated[str | None, option("column of pictures to make; the first other when left out")] = None
    partner: Annotated[
        str | None,
        option("column of other scenes in the same light and style; 'partner' where the data have it, else the target"),
    ] = None
    default_conditions: Annotated[
        tuple[str, ...], option("the words of light, weather and style where nothing is known; else each one's first")
    ] = ()
    network: Annotated[
        Literal["tables", "concatenated", "paper"],
        option("small networks modulated by class tables, or told map and code at the input alone, or the paper's"),
    ] = "tables"
    width: Annotated[int, option("filters of the trunk; for paper, of the last level", ge=4, le=512)] = 64
    blocks: Annotated[int, option("residual blocks of the trunk of small networks", ge=1, le=64)] = 6
    detail: Annotated[tuple[Width, Width], option("filters of small networks at half and at full resolution")] = (
        32,
        24,
    )
    code: Annotated[int, option("length of the style code", ge=1, le=1024)] = 48
    encoder_width: Annotated[int, option("filters of the style encoder's first level", ge=4, le=256)] = 24
    norm: Annotated[NormKind, option("normalisation of the generator of paper or concatenated")] = "batch"
    noise: Annotated[
        Literal["none", "strokes"],
        option("noise z of small networks: brush strokes laid from a seed, seen by the generator"),
    ] = "strokes"
    own_style: Annotated[
        float, option("how often the target itself shows the style, instead of its partner", ge=0, le=1)
    ] = 0.3
    told: Annotated[
        float, option("how often words tell the style, where the data have any, instead of a picture", ge=0, le=1)
    ] = 0.0
    start_from: Annotated[
        int, option("pictures that first codes, and colours of tables, are worked out from; 0: at random", ge=0)
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
    rates: Annotated[
        tuple[Annotated[float, option("factor", gt=0)], Annotated[float, option("factor", gt=0)]],
        option("learning rates of the generator and of the discriminator, as factors of learning_rate"),
    ] = (1.0, 1.0)
    mismatched: Annotated[
        float, option("weight of real pictures shown with another's code, as fakes; not for paper", ge=0)
    ] = 0.25
    matching: Annotated[float, option("weight of feature matching, summed over layers", ge=0)] = 2.0
    lowpass: Annotated[float, option("weight of the L1 loss of averages over 8 x 8 pixels", ge=0)] = 12.0
    l1: Annotated[
        float, option("weight of the L1 loss: strokes lie where the noise lays them, in styles that have any", ge=0)
    ] = 4.0
    contrast: Annotated[
        float, option("weight of the L1 loss of log local contrast: strokes as strong as the style has them", ge=0)
    ] = 2.0
    consistency: Annotated[float, option("weight of reading the code back from the picture; not for paper", ge=0)] = 1.0
    kl: Annotated[float, option("weight of keeping the paper's encoder like plain noise", ge=0)] = 0.05


SPEC = MethodSpec(
    name="spade",
    summary="Paint a label map in any light and style, by words or from a picture.",
    inputs=(
        Port("labels", Kind.LABELS, "the label map"),
        Port("style", Kind.IMAGE, "a picture to take light and style from", required=False, any_size=True),
    ),
    output=Kind.IMAGE,
    flickers=True,
    options=SpadeOptions,
    translator="artkit_spade.translator:Spade",
    trainer="artkit_spade.trainer:SpadeTrainer",
    training_options=SpadeTraining,
    trains_on=(Need.LABELLED,),
    default_model="landscape",
    models=(packaged("landscape", "Paints landscapes in four lights, four weathers and five styles.", "CC0-1.0"),),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register spade."""
    return [SPEC]
