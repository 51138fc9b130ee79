"""CycleGAN: learn to translate between two sets of pictures without pairs (Zhu, Park, Isola, Efros, "Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from artkit import Kind, MethodSpec, ModelSpec, Need, Options, Port, Tiling, hookimpl, option

if TYPE_CHECKING:
    from torch import Tensor

    from artkit import ModelHeader
    from artkit.spec import Checkpoint


class CycleGANOptions(Options, frozen=True):
    """Options of a cyclegan step."""

    direction: Annotated[Literal["AtoB", "BtoA"], option("from domain A to B (photo to painting), or back")] = "AtoB"
    condition: Annotated[
        str | None, option("the manner, where a model knows several, such as 'swirl'; 'any' lets the seed choose")
    ] = None
    stochastic: Annotated[bool, option("keep dropout on in networks trained with it; the seed chooses the masks")] = (
        False
    )
    statistics: Annotated[
        Literal["picture", "running"],
        option("batch norm by each picture's own statistics, or by those kept in training"),
    ] = "picture"


class CycleGANTraining(Options, frozen=True):
    """Options of cyclegan training; the defaults are the paper's."""

    source: Annotated[str | None, option("column of domain A; the first of pictures when left out")] = None
    target: Annotated[
        tuple[str, ...],
        option("columns of domain B, the first other when left out; several are manners that a model may be told"),
    ] = ()
    channels: Annotated[
        tuple[Literal[1, 3], Literal[1, 3]], option("channels of domains A and B: 3 for colour, 1 for grey")
    ] = (3, 3)
    network: Annotated[
        Literal["resnet_9", "resnet_6", "unet_256", "unet_128", "subpixel", "painter"],
        option("the generators; painter lays brush strokes from a seed towards B, and is subpixel on the way back"),
    ] = "resnet_9"
    width: Annotated[
        int, option("filters of the generators' first level (or trunk, for subpixel and painter)", ge=4, le=1024)
    ] = 64
    blocks: Annotated[int, option("residual blocks of subpixel and painter", ge=1, le=64)] = 6
    detail: Annotated[tuple[int, int], option("filters of subpixel and painter at half and full resolution")] = (32, 24)
    upsample: Annotated[
        Literal["transposed", "resize"], option("how ResNet generators go back up; resize leaves no checkerboard")
    ] = "transposed"
    norm: Annotated[Literal["instance", "batch", "none"], option("normalisation of all networks")] = "instance"
    dropout: Annotated[bool, option("dropout in the generators")] = False
    antialias: Annotated[
        bool, option("halve and double through blur filters, as CUT does, in ResNet generators and discriminators")
    ] = False
    patch: Annotated[
        Literal[1, 16, 34, 70, 142, 286], option("side of the patches discriminators judge, in pixels")
    ] = 70
    scales: Annotated[tuple[int, ...], option("filters of the discriminators at each scale, finest first")] = (64,)
    judged: Annotated[
        Literal["picture", "detail"],
        option(
            "what discriminators see: the picture, or what a blur of it leaves, where the hand tells, not the colour"
        ),
    ] = "picture"
    gan: Annotated[Literal["lsgan", "hinge", "vanilla"], option("adversarial loss")] = "lsgan"
    adversarial: Annotated[float, option("weight of the adversarial losses", ge=0)] = 1.0
    cycle_a: Annotated[float, option("weight of cycle consistency from A to B and back", ge=0)] = 10.0
    cycle_b: Annotated[float, option("weight of cycle consistency from B to A and back", ge=0)] = 10.0
    identity: Annotated[
        float, option("weight of the identity loss, times that of the cycle; off where channels differ", ge=0)
    ] = 0.5
    cell: Annotated[
        int, option("cycle and identity compare averages over cells of this side: 1 compares pixels", ge=1, le=256)
    ] = 1
    pool: Annotated[int, option("past fakes that each discriminator is shown again", ge=0, le=10_000)] = 50
    memory: Annotated[
        Literal["high", "low"], option("low runs the two cycles one after the other: same gradients, less memory")
    ] = "high"


SPEC = MethodSpec(
    name="cyclegan",
    summary="Translate between two domains, as learned without pairs: photo to painting, and back.",
    inputs=(Port("image", Kind.IMAGE, "a picture of the domain to translate from"),),
    output=Kind.IMAGE,
    options=CycleGANOptions,
    translator="artkit_cyclegan.translator:CycleGAN",
    trainer="artkit_cyclegan.trainer:CycleGANTrainer",
    training_options=CycleGANTraining,
    trains_on=(Need.DOMAINS,),
    default_model="painting",
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register cyclegan."""
    return [SPEC]


@hookimpl
def register_models() -> list[ModelSpec]:
    """Register the painter of photos, and the models that can be pulled."""
    from artkit_cyclegan.published import CATALOGUE

    return [
        *CATALOGUE,
        ModelSpec(
            name="painting",
            method="cyclegan",
            summary="Paints a photo in broken or swirling strokes; BtoA makes a photo of a painting.",
            file="artkit_cyclegan:weights/painting.safetensors",
            licence="CC0-1.0",
            source="examples/recipes/cyclegan-painting.toml",
        ),
    ]


@hookimpl
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Take ResNets, and any generators meant for cyclegan, of pytorch-CycleGAN-and-pix2pix and CUT."""
    if method not in (None, SPEC.name):
        return None
    from artkit_cyclegan.published import import_networks

    return import_networks(checkpoint, asked_for=method is not None)
