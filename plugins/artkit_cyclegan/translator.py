"""Run a cyclegan model in one of its directions."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, ModelHeader, OptionError, Translator, nearest
from artkit.nn import PictureBatchNorm, decode_picture, encode_picture, seeded_dropout
from artkit.nn.layout import lay_out
from artkit_cyclegan import SPEC, CycleGANOptions
from artkit_cyclegan.generator import AB, GENERATORS, MANNER, PAINTER, make_generators
from artkit_cyclegan.painter import lay_strokes

ANY = "any"


class CycleGAN(Translator):
    """The generator of one direction of a trained model; `direction` says which."""

    spec = SPEC
    options: CycleGANOptions
    header: ModelHeader

    def __init__(self, options: CycleGANOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        directions = header.arguments["directions"]
        if options.direction not in directions:
            raise OptionError(
                f"cyclegan(direction={options.direction!r}): this model goes {' and '.join(directions)} alone; "
                f"leave direction out, or use a model trained the other way."
            )
        for name, network in make_generators(header.architecture, header.arguments, [options.direction]).items():
            self.add_module(name, network)
        self._use(options.statistics)
        self.forth = options.direction == AB
        self.strokes = self.forth and header.architecture == PAINTER
        self.channels = header.arguments["generator"]["in_channels" if self.forth else "out_channels"]
        self.manners = header.conditions.get(MANNER, ())
        self._check_condition()

    def translate(self, context: Context, *, image: Tensor) -> Tensor:  # type: ignore[override]
        """Map N3HW of one domain to the other."""
        x = encode_picture(image, self.channels)
        if self.strokes:
            size = (context.height, context.width)
            x = torch.cat([x, context.draw(lambda seed: lay_strokes(*size, seed, context.device))], 1)
        generator = self.get_submodule(GENERATORS[self.options.direction])
        x = lay_out(x.to(context.dtype))
        if self.options.stochastic:
            with seeded_dropout(generator, context.seeds):
                return decode_picture(generator(x, *self._told(context)))
        return decode_picture(generator(x, *self._told(context)))

    def _use(self, statistics: Literal["picture", "running"]) -> None:
        norms = [layer for layer in self.modules() if isinstance(layer, PictureBatchNorm)]
        if statistics == "running" and not norms:
            raise OptionError("cyclegan(statistics='running'): this model has no batch norm; leave statistics out.")
        for norm in norms:
            norm.statistics = statistics

    def _told(self, context: Context) -> list[Tensor]:
        """Return the manner of each picture as a one-hot row: what the step says, what is known, or the first."""
        if not self.forth or not self.manners:
            return []
        chosen = torch.tensor([self._manner(context, index) for index in range(len(context.seeds))])
        return [F.one_hot(chosen, len(self.manners)).to(context.device, context.dtype)]

    def _manner(self, context: Context, index: int) -> int:
        condition = self.options.condition
        if condition == ANY:
            generator = torch.Generator().manual_seed(context.seeds[index])
            return int(torch.randint(len(self.manners), (), generator=generator))
        known = context.fact(index, MANNER)
        return self.manners.index(condition or (known if known in self.manners else self.manners[0]))

    def _check_condition(self) -> None:
        condition, known = self.options.condition, [*self.manners, ANY]
        if condition and condition not in known:
            raise OptionError(
                f"cyclegan(condition={condition!r}): this model knows no '{condition}'.{nearest(condition, known)}"
                if self.manners
                else f"cyclegan(condition={condition!r}): this model knows one manner alone; leave condition out."
            )
