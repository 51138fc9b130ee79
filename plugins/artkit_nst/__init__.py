"""Neural style transfer: a photo painted in the style of a picture.

Two engines: `patch` needs no weights (see painting.py), `vgg` optimises the losses of Gatys et al. 2016 and their
successors where weights of VGG-19 are found (see vgg/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from artkit import Kind, MethodSpec, ModelSpec, Options, Port, hookimpl, option

if TYPE_CHECKING:
    from torch import Tensor

    from artkit import ModelHeader
    from artkit.spec import Checkpoint

StyleName = Literal["dots", "etching", "flow", "glass", "knife", "mosaic", "watercolour", "woodcut"]


class NstOptions(Options, frozen=True):
    """Options of an nst step."""

    style: Annotated[
        StyleName | None, option("a style that needs no picture; flow, where no picture is given as style")
    ] = None
    strength: Annotated[float, option("how far the painting may leave the photo", ge=0, le=1)] = 0.5
    style_scale: Annotated[float, option("size of the style's forms: 2 is twice as large", ge=0.1, le=10)] = 1.0
    completeness: Annotated[float, option("how much of the style must appear, not only what fits", ge=0, le=1)] = 0.7
    quality: Annotated[Literal["draft", "normal", "best"], option("work that goes into it")] = "normal"
    colours: Annotated[
        Literal["style", "luminance", "palette"],
        option("the style's colours; or the photo's: only lightness is painted, or the painting is recoloured"),
    ] = "style"
    engine: Annotated[
        Literal["auto", "patch", "vgg"],
        option("patch needs no weights, vgg those of VGG-19; auto: vgg where they are found"),
    ] = "auto"
    weights: Annotated[str | None, option("vgg: file of weights; ARTKIT_VGG19 and the usual places if none")] = None
    loss: Annotated[Literal["gram", "w2", "sliced"], option("vgg: what tells styles apart")] = "w2"
    optimiser: Annotated[Literal["adam", "lbfgs"], option("vgg: how the picture is changed")] = "adam"
    start: Annotated[
        Literal["patch", "photo", "noise"],
        option(
            "what it starts from: the photo, noise, or a draft of the engine patch, which itself has the photo for it"
        ),
    ] = "patch"
    steps: Annotated[
        Annotated[int, Meta(ge=1, le=100_000)] | None, option("vgg: steps at the coarsest size; by quality if none")
    ] = None
    smoothness: Annotated[float, option("vgg: weight of total variation", ge=0, le=1000)] = 1.0
    time_budget: Annotated[
        Annotated[float, Meta(gt=0)] | None, option("vgg: seconds it may take; at least one step is taken")
    ] = None
    mix: Annotated[tuple[float, ...], option("weights of the styles, in order; all alike if empty")] = ()


_REGIONS = "regions of the style, in the same colours as `map`"
_PICTURES = (
    Port("style", Kind.IMAGE, "a picture to take the style from", required=False, any_size=True),
    Port("style2", Kind.IMAGE, "a second style", required=False, any_size=True),
    Port("style3", Kind.IMAGE, "a third style", required=False, any_size=True),
)
_MAPS = (
    Port("map", Kind.IMAGE, "regions of the photo, each in its colour", required=False, any_size=True),
    Port("style_map", Kind.IMAGE, _REGIONS, required=False, any_size=True),
    Port("style2_map", Kind.IMAGE, _REGIONS, required=False, any_size=True),
    Port("style3_map", Kind.IMAGE, _REGIONS, required=False, any_size=True),
)
_IMPORTANCE = Port(
    "importance", Kind.MASK, "where the photo stays legible, white; nst's own guess if none", required=False
)

SPEC = MethodSpec(
    name="nst",
    group="translate",
    summary="Paint a photo in the style of a picture.",
    inputs=(Port("image", Kind.IMAGE, "the photo"), *_PICTURES, *_MAPS, _IMPORTANCE),
    output=Kind.IMAGE,
    flickers=True,
    options=NstOptions,
    translator="artkit_nst.translator:Nst",
    needs_model=False,
)

CATALOGUE = [
    ModelSpec(
        name="vgg19",
        method="nst",
        summary="VGG-19 up to relu5_1, trained on ImageNet: the eyes of nst(engine=vgg).",
        url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        licence="torchvision: BSD-3-Clause; its models may have terms of their own, derived from the data (ImageNet)",
        source="https://pytorch.org/vision/stable/models/generated/torchvision.models.vgg19.html",
        size=574_673_361,
        trained_on="ImageNet-1K, to tell a thousand things apart",
    )
]
"""VGG-19 as PyTorch publishes it, which nst's engine `vgg` looks with; it can be pulled."""


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register nst."""
    return [SPEC]


@hookimpl
def register_models() -> list[ModelSpec]:
    """Register the weights that the engine `vgg` can be given by `artkit models pull`."""
    return CATALOGUE


@hookimpl
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Take VGG-19, of torchvision, timm, Johnson, Gatys or AdaIN."""
    if method not in (None, SPEC.name):
        return None
    from artkit_nst.vgg.network import import_vgg

    return import_vgg(checkpoint, asked_for=method is not None)
