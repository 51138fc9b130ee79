"""Run a CAN model, the translator: dream, walk from dream to dream, and say which styles the dreams remind of."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, ModelHeader, OptionError, Translator
from artkit.nn import RESULT_FIELD, Portable, PortableField, decode_image, read_arguments, strokes_field
from artkit.nn.layout import lay_out
from artkit.seeds import mix_seeds
from artkit_can import SPEC, CanOptions
from artkit_can.losses import entropy, posterior
from artkit_can.networks import CanArguments
from artkit_can.portable import PortableDream

Place = tuple[int, int, float]
"""A place in the space of noise: from the noise of one seed to that of another, by a share of the way."""


class Can(Translator):
    """The generator of a trained model, and its style classifier, which sees the output only to report on it."""

    spec = SPEC
    options: CanOptions
    header: ModelHeader

    def __init__(self, options: CanOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        if options.towards is not None and options.interpolate > 1:
            raise OptionError("can(towards=..., interpolate=...): walk from seed to seed, or towards one; not both.")
        self.arguments = read_arguments(header, CanArguments)
        self.generator = self.arguments.generator.build()
        self.classifier = self.arguments.classifier.build(len(self.arguments.styles))

    def dream_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of the run, or that of the square that was asked for."""
        side = self.options.side
        return (side, side) if side else (height, width)

    def portable(self) -> Portable:
        """Return the generator: noise, and strokes where it sees such, to a picture."""
        told = "what the picture shows: normal noise of mean 0 and variance 1"
        noise = PortableField("z", "noise", (1, self.generator.latent), told)
        inputs = (noise, strokes_field()) if self.generator.strokes else (noise,)
        side = self.arguments.generator.resolution
        output = RESULT_FIELD if self.generator.strokes else replace(RESULT_FIELD, axes=(1, 3, side, side))
        return Portable(PortableDream(self.generator, self.options.temperature), inputs, output, self._feed)

    def _feed(self, context: Context) -> tuple[Tensor, ...]:
        z, strokes = self._draw(context)
        return (z,) if strokes is None else (z, strokes)

    def translate(self, context: Context) -> Tensor:
        """Make one picture a seed."""
        z, strokes = self._draw(context)
        return decode_image(self.generator(self.options.temperature * z, strokes, (context.height, context.width)))

    def _draw(self, context: Context) -> tuple[Tensor, Tensor | None]:
        """Return the noise of each picture, and the strokes where the generator sees such."""
        places = [self._find_place(seed, number) for seed, number in zip(context.seeds, context.numbers, strict=True)]
        z = torch.stack([_between(place, self._latent, slerp) for place in places]).to(context.device, context.dtype)
        size, strokes = (context.height, context.width), None
        if lay := self.arguments.generator.lay:
            draw = partial(lay, *size, device=context.device)
            fields = [_between(place, draw, torch.lerp) for place in places]
            strokes = lay_out(torch.stack(fields).to(context.device, context.dtype))
        return z, strokes

    def report(self, output: Tensor) -> list[dict[str, Any]]:
        """Return how much each picture looks like each style, and the entropy of that, in nats."""
        weight, styles = next(self.classifier.parameters()), self.arguments.styles
        side = self.arguments.classifier.resolution
        seen = F.interpolate(output, size=(side, side), mode="bilinear", antialias=True) * 2 - 1
        with torch.inference_mode():
            logits = self.classifier(seen.to(weight.device, weight.dtype))
        chances = posterior(logits, self.arguments.style_form).cpu()
        return [
            {
                "styles": {name: round(chance, 4) for name, chance in zip(styles, row.tolist(), strict=True)},
                "style_entropy": round(float(spread), 4),
            }
            for row, spread in zip(chances, entropy(chances), strict=True)
        ]

    def _find_place(self, seed: int, number: int) -> Place:
        """Return where the dream of a seed lies; `number` is the seed as the user gave it, which walks count by."""
        if self.options.towards is not None:
            return seed, mix_seeds(self.options.towards, 0), self.options.share
        if self.options.interpolate > 1:
            start, steps = divmod(number, self.options.interpolate)
            return mix_seeds(start, 0), mix_seeds(start + 1, 0), steps / self.options.interpolate
        return seed, seed, 0.0

    def _latent(self, seed: int) -> Tensor:
        return torch.randn(self.generator.latent, generator=torch.Generator().manual_seed(seed))


def _between(place: Place, make: Any, mix: Any) -> Tensor:
    start, end, share = place
    return make(start) if share == 0 else mix(make(start), make(end), share)


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Return the vector a `share` of the way from a to b, along the arc between them (Shoemake 1985).

    Noise of many dimensions lies near a sphere; the straight line between would cut through its empty middle. Lengths
    are carried over from one to the other in a line.
    """
    lengths = a.norm(), b.norm()
    angle = torch.acos(((a / lengths[0]) @ (b / lengths[1])).clamp(-1, 1))
    if float(angle) < 1e-4:
        return torch.lerp(a, b, share)
    start, end = (torch.sin(part * angle) / torch.sin(angle) for part in (1 - share, share))
    direction = start * a / lengths[0] + end * b / lengths[1]
    return direction * torch.lerp(*lengths, share)
