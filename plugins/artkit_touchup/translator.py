"""Run a touchup model: the translator."""

from __future__ import annotations

from torch import Tensor

from artkit import Context, ModelHeader, Translator
from artkit.nn import IMAGE_FIELD, RESULT_FIELD, Portable, read_arguments
from artkit_touchup import SPEC, TouchupOptions
from artkit_touchup.artists import Artist, ArtistArguments, find_places, touch_up
from artkit_touchup.portable import PortableArtists


class Touchup(Translator):
    """Both artists of a model, at work on the same picture; the contract clips what they make of it to [0, 1].

    The picture comes in float32 whatever the arithmetic of the networks: where they do nothing, it stays as it is.
    """

    spec = SPEC
    keeps_float = True
    options: TouchupOptions

    def __init__(self, options: TouchupOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        arguments = read_arguments(header, ArtistArguments)
        self.additive, self.subtractive = Artist(arguments), Artist(arguments)

    def portable(self) -> Portable:
        """Return both artists and how their work is combined."""
        options = self.options
        add, subtract = options.strength * options.add, options.strength * options.subtract
        margin, smooth = self.size_rule.margin, options.smooth
        artists = self.additive, self.subtractive
        graph = PortableArtists(*artists, margin, add=add, subtract=subtract, smooth=smooth)
        return Portable(graph, (IMAGE_FIELD,), RESULT_FIELD, lambda context, *, image: (image,))

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Correct N3HW."""
        add, subtract = (self.options.strength * share for share in (self.options.add, self.options.subtract))
        places = find_places(context.height, context.width, self.size_rule.margin).to(image)
        seen = image, places.expand(len(image), -1, -1, -1)
        return touch_up(image, self.additive(*seen), self.subtractive(*seen), add, subtract, self.options.smooth)
