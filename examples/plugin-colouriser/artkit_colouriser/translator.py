"""Run a model of the colouriser: the translator."""

from __future__ import annotations

from artkit import Context, ModelHeader, Translator
from artkit.nn import read_arguments
from torch import Tensor

from artkit_colouriser import SPEC, ColouriserOptions
from artkit_colouriser.colour import colour, luminance
from artkit_colouriser.networks import ColouriserArguments


class Colouriser(Translator):
    """The network guesses the chroma; the luminance goes past it, in float32 whatever the network computes in."""

    spec = SPEC
    keeps_float = True
    options: ColouriserOptions

    def __init__(self, options: ColouriserOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.generator = read_arguments(header, ColouriserArguments).generator.build()

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Colour N3HW."""
        light = luminance(image)
        guess = self.generator((light * 2 - 1).to(context.dtype)).float()
        return colour(light, self.options.strength * guess)
