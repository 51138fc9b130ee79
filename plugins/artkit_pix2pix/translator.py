"""Run a pix2pix model: the translator."""

from __future__ import annotations

from contextlib import nullcontext

from torch import Tensor

from artkit import Context, ModelHeader, Translator
from artkit.nn import Conditions, choose_statistics, decode_image, read_arguments, seeded_dropout, stroke_noise
from artkit_pix2pix import SPEC, Pix2PixOptions
from artkit_pix2pix.networks import Pix2PixArguments, encode_input


class Pix2Pix(Translator):
    """The generator of a trained model; its header says what it takes, what conditions it, and whether it sees z."""

    spec = SPEC
    options: Pix2PixOptions
    header: ModelHeader

    def __init__(self, options: Pix2PixOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.arguments = read_arguments(header, Pix2PixArguments)
        self.generator = self.arguments.generator.build()
        choose_statistics(self.generator, options.statistics, "pix2pix(statistics)")
        self.classes = len(header.classes) if header.classes and header.inputs.get("image") == "labels" else None
        self.conditions = Conditions(header.conditions, self.arguments.default_conditions)
        self.asked = self.conditions.parse(options.condition, "pix2pix(condition)")

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Map N3HW, or labels N H W where the model takes label maps, to a picture."""
        x = encode_input(image, self.classes, self._draw_noise(context), self.arguments.channels).to(context.dtype)
        with seeded_dropout(self.generator, context.seeds) if self.options.stochastic else nullcontext():
            return decode_image(self.generator(x, *self._encode_conditions(context)))

    def _draw_noise(self, context: Context) -> Tensor | None:
        if self.arguments.noise == "none":
            return None
        return context.draw(lambda seed: stroke_noise(context.height, context.width, seed, device=context.device))

    def _encode_conditions(self, context: Context) -> list[Tensor]:
        if not self.conditions:
            return []
        rows = self.conditions.encode_asked(self.asked, context.seeds, context.facts)
        return [rows.to(context.device, context.dtype)]
