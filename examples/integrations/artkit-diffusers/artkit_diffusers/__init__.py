"""Pipelines of diffusers as methods of artkit: image to image, and ControlNet, from folders on this machine."""

from __future__ import annotations

from typing import Annotated

from artkit import Kind, MethodSpec, Options, Port, hookimpl, option
from artkit.spec import SizeRule


class DiffusionOptions(Options, frozen=True):
    """Options that both methods have."""

    folder: Annotated[str, option("folder of a pipeline, as diffusers saves it")] = ""
    prompt: Annotated[str, option("what the picture is to show")] = ""
    without: Annotated[str, option("what it is not to show")] = ""
    steps: Annotated[int, option("steps of a whole denoising", ge=1, le=1000)] = 30
    guidance: Annotated[float, option("how closely the prompt is followed; 1 is not at all", ge=1, le=50)] = 7.5


class DiffuseOptions(DiffusionOptions, frozen=True):
    """Options of a diffuse step."""

    strength: Annotated[float, option("how much is changed: 0 nothing, 1 everything", ge=0, le=1)] = 0.5


class ControlOptions(DiffusionOptions, frozen=True):
    """Options of a control step."""

    controlnet: Annotated[str, option("folder of a ControlNet, as diffusers saves it")] = ""
    scale: Annotated[float, option("how closely the map is followed", ge=0, le=10)] = 1.0


DIFFUSE = MethodSpec(
    name="diffuse",
    group="translate",
    summary="Change a picture by latent diffusion, as a sentence says.",
    inputs=(Port("image", Kind.IMAGE, "a picture to change"),),
    output=Kind.IMAGE,
    options=DiffuseOptions,
    translator="artkit_diffusers.translators:Diffuse",
    size=SizeRule(multiple=8),
    needs_model=False,
)
CONTROL = MethodSpec(
    name="control",
    group="translate",
    summary="Paint a picture of a map by latent diffusion with a ControlNet.",
    inputs=(Port("image", Kind.IMAGE, "a label map in its colours, or what else the ControlNet learned"),),
    output=Kind.IMAGE,
    options=ControlOptions,
    translator="artkit_diffusers.translators:Control",
    size=SizeRule(multiple=8),
    needs_model=False,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register both."""
    return [DIFFUSE, CONTROL]
