"""Super-resolution: enlarge pictures, after SRGAN (Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a
Generative Adversarial Network", 2017) and its twin that minimises the squared error alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from artkit import Kind, MethodSpec, MetricSpec, Options, Port, Tiling, hookimpl, option, packaged
from artkit.nn import DiscriminatorOptions, NormKind, ReceptiveField

if TYPE_CHECKING:
    from torch import Tensor

    from artkit import ModelHeader
    from artkit.spec import Checkpoint


class SuperresOptions(Options, frozen=True):
    """Options of a superres step."""

    scale: Annotated[
        int, option("output pixels for each input pixel, along a side; 0 is the smallest the model has", ge=0)
    ] = 0
    quality: Annotated[
        Literal["normal", "best"],
        option("best turns and mirrors the picture in all eight ways and takes the mean: less error, 8 times the time"),
    ] = "normal"
    tile: Annotated[
        int,
        option("side of the tiles it computes in, in input pixels; 0 chooses by memory. The result is the same", ge=0),
    ] = 0


class SuperresTraining(DiscriminatorOptions, frozen=True):
    """Options of superres training; with no weight but that of pixels it trains the MSE twin."""

    sources: Annotated[tuple[str, ...], option("columns to learn from; every column of pictures when left out")] = ()
    scales: Annotated[tuple[int, ...], option("scales to learn, each with a network of its own")] = (2, 4)
    network: Annotated[
        Literal["edsr", "srresnet", "rrdb"], option("edsr is small and has no norm; srresnet is the paper's")
    ] = "edsr"
    width: Annotated[int, option("filters of the generator", ge=4, le=1024)] = 64
    blocks: Annotated[int, option("residual blocks of the generator", ge=1, le=64)] = 16
    plain: Annotated[float, option("share of pictures that are shrunk without antialiasing", ge=0, le=1)] = 0.0
    jpeg: Annotated[float, option("share of small pictures that go through a JPEG file", ge=0, le=1)] = 0.0
    pixel: Annotated[Literal["mse", "l1"], option("loss on pixels")] = "mse"
    content: Annotated[float, option("weight of the loss on pixels", ge=0)] = 1.0
    adversarial: Annotated[float, option("weight of the adversarial loss; the paper's is 0.001", ge=0)] = 0.0
    matching: Annotated[float, option("weight of matching the discriminator's features", ge=0)] = 0.0
    texture: Annotated[float, option("weight of matching how strong detail is, wherever exactly it lies", ge=0)] = 0.0
    perceptual: Annotated[
        float, option("weight of matching features of an ImageNet network, which is an extra of artkit", ge=0)
    ] = 0.0
    receptive_field: Annotated[ReceptiveField, option("receptive field of the discriminator, in pixels")] = 34
    discriminator_norm: Annotated[NormKind, option("normalisation of the discriminator")] = "none"
    spectral: Annotated[bool, option("spectral normalisation in the discriminator")] = True


SPEC = MethodSpec(
    name="superres",
    group="enlarge",
    summary="Enlarge a picture, with detail that plain interpolation lacks.",
    inputs=(Port("image", Kind.IMAGE, "a picture to enlarge"),),
    output=Kind.IMAGE,
    options=SuperresOptions,
    translator="artkit_superres.translator:Superres",
    trainer="artkit_superres.trainer:SuperresTrainer",
    training_options=SuperresTraining,
    default_model="sharp",
    models=(
        packaged("sharp", "Enlarges 2 or 4 times, crisply: detail is invented where it is lost.", "CC0-1.0"),
        packaged("faithful", "Enlarges 2 or 4 times with the least error, softer than sharp.", "CC0-1.0"),
    ),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register superres, with the adversarial model and its twin."""
    return [SPEC]


@hookimpl
def register_metrics() -> list[MetricSpec]:
    """Register the scores that super-resolution papers report."""
    return [
        MetricSpec(
            "psnr_y",
            "peak signal-to-noise ratio in dB of luma (BT.601), 8 bits, a border of 4 pixels left out",
            "artkit_superres.metrics:psnr_y",
            better="higher",
        ),
        MetricSpec(
            "ssim_y",
            "structural similarity of luma (BT.601), 8 bits, a border of 4 pixels left out",
            "artkit_superres.metrics:ssim_y",
            better="higher",
        ),
    ]


@hookimpl
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Take RRDB networks: ESRGAN's and Real-ESRGAN's files."""
    if method not in (None, SPEC.name):
        return None
    from artkit_superres.published import import_rrdb

    return import_rrdb(checkpoint)
