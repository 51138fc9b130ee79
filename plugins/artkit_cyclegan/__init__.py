"""CycleGAN: learn to translate between two sets of pictures without pairs (Zhu, Park, Isola, Efros, "Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from artkit import Kind, MethodSpec, ModelSpec, Need, Options, Port, Tiling, hookimpl, option, packaged
from artkit.nn import GanMode, GanOptions, NormKind, ReceptiveField, Width, WorkingSize

if TYPE_CHECKING:
    from torch import Tensor

    from artkit import ModelHeader
    from artkit.spec import Checkpoint, Direction

AB: Direction = "AtoB"
BA: Direction = "BtoA"
GENERATORS: dict[Direction, str] = {AB: "generator_a", BA: "generator_b"}
"""The generator of each direction, in model files and in training: G and F of the paper."""


class CycleGANOptions(Options, frozen=True):
    """Options of a cyclegan step."""

    direction: Annotated[Literal["AtoB", "BtoA"], option("from domain A to B (photo to painting), or back")] = "AtoB"
    condition: Annotated[
        str | None, option("the style of domain B, where a model knows several: 'swirl'; 'any' lets the seed choose")
    ] = None
    stochastic: Annotated[bool, option("keep dropout on in networks trained with it; the seed chooses the masks")] = (
        False
    )
    statistics: Annotated[
        Literal["picture", "running"],
        option("batch norm by each picture's own statistics, or by those kept in training"),
    ] = "picture"
    working_size: WorkingSize = None


class CycleGANTraining(GanOptions, frozen=True):
    """Options of cyclegan training.

    The defaults paint: within an hour of two cores they learn a painter's hand from a folder of photos and one of
    paintings. The paper's are in `examples/recipes/cyclegan-paper.toml`.
    """

    source: Annotated[str | None, option("column of domain A; the first of pictures when left out")] = None
    target: Annotated[
        tuple[str, ...],
        option("columns of domain B, the first other when left out; several are styles of it, the model's condition"),
    ] = ()
    channels: Annotated[
        tuple[Literal[1, 3], Literal[1, 3]], option("channels of domains A and B: 3 for colour, 1 for grey")
    ] = (3, 3)
    network: Annotated[
        Literal["resnet_9", "resnet_6", "unet_256", "unet_128", "subpixel", "painter"],
        option("the generators; painter lays brush strokes from a seed towards B, and is subpixel on the way back"),
    ] = "painter"
    width: Annotated[int, option("filters of the generators' first level (or trunk)", ge=4, le=1024)] = 64
    detail: Annotated[
        tuple[Width, Width], option("filters of a painter or subpixel generator at half and at full resolution")
    ] = (24, 16)
    norm: Annotated[NormKind, option("normalisation of the generators")] = "none"
    discriminator_norm: Annotated[NormKind, option("normalisation of the discriminators")] = "none"
    receptive_field: Annotated[
        ReceptiveField, option("receptive field of the discriminators: the side of their patches, in pixels")
    ] = 34
    widths: Annotated[
        tuple[Width, ...],
        option("filters of the discriminators' first level, one number a scale, finest first", min_length=1),
    ] = (40, 32)
    discriminator_input: Annotated[
        Literal["picture", "detail"],
        option(
            "what discriminators see: the picture, or what a blur of it leaves, where the hand tells, not the colour"
        ),
    ] = "picture"
    gan: Annotated[GanMode, option("adversarial loss")] = "lsgan"
    cycle_a: Annotated[float, option("weight of cycle consistency from A to B and back", ge=0)] = 2.0
    cycle_b: Annotated[float, option("weight of cycle consistency from B to A and back", ge=0)] = 2.0
    identity: Annotated[
        float, option("weight of the identity loss, times that of the cycle; off where channels differ", ge=0)
    ] = 0.0
    cell: Annotated[
        int, option("cycle and identity compare averages over cells of this side: 1 compares pixels", ge=1, le=256)
    ] = 8
    perceptual: Annotated[
        float,
        option("weight of keeping what is where, by features of an ImageNet network, an extra of artkit", ge=0),
    ] = 0.0
    pool: Annotated[int, option("past fakes that each discriminator is shown again", ge=0, le=10_000)] = 50
    memory: Annotated[
        Literal["high", "low"], option("low runs the two cycles one after the other: same gradients, less memory")
    ] = "high"


SPEC = MethodSpec(
    name="cyclegan",
    summary="Translate between two domains, as learned without pairs: photo to painting, and back.",
    inputs=(Port("image", Kind.IMAGE, "a picture of the domain to translate from"),),
    output=Kind.IMAGE,
    flickers=True,
    options=CycleGANOptions,
    translator="artkit_cyclegan.translator:CycleGAN",
    trainer="artkit_cyclegan.trainer:CycleGANTrainer",
    training_options=CycleGANTraining,
    trains_on=(Need.DOMAINS,),
    default_model="vangogh",
    models=(
        packaged("vangogh", "Paints a photo as Van Gogh did; BtoA makes a photo of a painting.", "CC0-1.0"),
        packaged("monet", "Paints a photo as Monet did; BtoA makes a photo of a painting.", "CC0-1.0"),
    ),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register cyclegan, with two masters who paint photos."""
    return [SPEC]


@hookimpl
def register_models() -> list[ModelSpec]:
    """Register the models that can be pulled."""
    from artkit_cyclegan.published import CATALOGUE

    return CATALOGUE


@hookimpl
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Take ResNets, and any generators meant for cyclegan, of pytorch-CycleGAN-and-pix2pix and CUT."""
    if method not in (None, SPEC.name):
        return None
    from artkit_cyclegan.published import import_networks

    return import_networks(checkpoint, asked_for=method is not None)
