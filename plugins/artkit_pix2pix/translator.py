"""Run a pix2pix model."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from artkit import Context, ModelHeader, OptionError, Translator, nearest
from artkit.nn import PictureBatchNorm, decode_picture, seeded_dropout, stroke_noise
from artkit.nn.layout import lay_out
from artkit_pix2pix import SPEC, Pix2PixOptions
from artkit_pix2pix.generator import encode_conditions, encode_input, make_generator

ANY = "any"


class Pix2Pix(Translator):
    """The generator of a trained model; its header says what it takes, may be told, and whether it sees strokes."""

    spec = SPEC
    options: Pix2PixOptions
    header: ModelHeader

    def __init__(self, options: Pix2PixOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        arguments = dict(header.arguments)
        self.noise = arguments.pop("noise", "none")
        self.usual: dict[str, str] = arguments.pop("usual", {})
        self.channels = 1 if arguments["in_channels"] == 1 else 3
        self.generator = make_generator(header.architecture, arguments)
        self._use(options.statistics)
        self.classes = len(header.classes) if header.classes and header.inputs.get("image") == "labels" else None
        self.words = set((options.condition or "").replace(",", " ").split())
        self.told = self._parse_condition()

    def translate(self, context: Context, *, image: Tensor) -> Tensor:  # type: ignore[override]
        """Map N3HW, or labels N H W where the model takes label maps, to a picture."""
        noise = None
        if self.noise == "strokes":
            height, width, device = context.height, context.width, context.device
            noise = context.draw(lambda seed: stroke_noise(height, width, seed, device=device))
        x = lay_out(encode_input(image, self.classes, noise, self.channels).to(context.dtype))
        if self.options.stochastic:
            with seeded_dropout(self.generator, context.seeds):
                output = self.generator(x, *self._condition(context))
        else:
            output = self.generator(x, *self._condition(context))
        return decode_picture(output)

    def _use(self, statistics: Literal["picture", "running"]) -> None:
        norms = [layer for layer in self.generator.modules() if isinstance(layer, PictureBatchNorm)]
        if statistics == "running" and not norms:
            raise OptionError("pix2pix(statistics=running): this model has no batch norm, so there are none.")
        for norm in norms:
            norm.statistics = statistics

    def _condition(self, context: Context) -> list[Tensor]:
        if not self.header.conditions:
            return []
        rows = [self._choose(context, index) for index in range(len(context.seeds))]
        return [encode_conditions(rows, self.header.conditions).to(context.device, context.dtype)]

    def _choose(self, context: Context, index: int) -> dict[str, str]:
        """What the step says, else what is known of the picture, else the usual, or with 'any' what the seed draws."""
        generator = torch.Generator().manual_seed(context.seeds[index])
        chosen = {}
        for name, values in self.header.conditions.items():
            drawn = values[int(torch.randint(len(values), (), generator=generator))]
            usual = drawn if ANY in self.words else self.usual.get(name, values[0])
            chosen[name] = self.told.get(name) or context.fact(index, name) or usual
        return chosen

    def _parse_condition(self) -> dict[str, str]:
        told: dict[str, str] = {}
        for word in self.words - {ANY}:
            name = next((name for name, values in self.header.conditions.items() if word in values), None)
            if name is None:
                known = [value for values in self.header.conditions.values() for value in values]
                condition = f"pix2pix(condition={self.options.condition!r})"
                raise OptionError(f"{condition}: this model knows no '{word}'.{nearest(word, [*known, ANY])}")
            told[name] = word
        return told
