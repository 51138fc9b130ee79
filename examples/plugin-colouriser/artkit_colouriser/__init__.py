"""Colouriser: give grey pictures colours; a network guesses the chroma, the luminance stays as it is."""

from __future__ import annotations

from typing import Annotated

from artkit import Kind, MethodSpec, Options, Port, Tiling, hookimpl, option, packaged


class ColouriserOptions(Options, frozen=True):
    """Options of a colouriser step."""

    strength: Annotated[float, option("how colourful: 0 is grey, 1 as the model guesses", ge=0, le=3)] = 1.0


class ColouriserTraining(Options, frozen=True):
    """Options of its training."""

    sources: Annotated[tuple[str, ...], option("columns to learn from; every column of pictures when left out")] = ()
    width: Annotated[int, option("filters of the network", ge=4, le=1024)] = 48
    blocks: Annotated[int, option("residual blocks of the network", ge=1, le=64)] = 8
    vivid: Annotated[float, option("how much more a pixel counts for its colourfulness", ge=0, le=100)] = 8.0


SPEC = MethodSpec(
    name="colouriser",
    summary="Give a grey picture colours; its light and dark stay as they are.",
    inputs=(Port("image", Kind.IMAGE, "a grey picture, or one whose colours to forget"),),
    output=Kind.IMAGE,
    options=ColouriserOptions,
    translator="artkit_colouriser.translator:Colouriser",
    trainer="artkit_colouriser.trainer:ColouriserTrainer",
    training_options=ColouriserTraining,
    default_model="landscape",
    models=(packaged("landscape", "Colours landscapes.", "CC0-1.0", "recipes/colouriser-landscape.toml"),),
    tiling=Tiling.EXACT,
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register the colouriser, with its model of landscapes."""
    return [SPEC]
