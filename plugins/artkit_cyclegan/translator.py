"""Run a cyclegan model in one of its directions: the translator."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor

from artkit import Context, ModelHeader, OptionError, Translator
from artkit.nn import (
    IMAGE_FIELD,
    RESULT_FIELD,
    WORKING_SIDE,
    Conditions,
    Portable,
    WorkingResolution,
    choose_statistics,
    condition_field,
    decode_image,
    encode_image,
    read_arguments,
    seeded_dropout,
    strokes_field,
)
from artkit.nn.layout import lay_out
from artkit_cyclegan import AB, GENERATORS, SPEC, CycleGANOptions
from artkit_cyclegan.networks import STROKES, CycleGANArguments, Painter, guide_of, lay_strokes, with_noise
from artkit_cyclegan.portable import PortableGenerator


class CycleGAN(Translator):
    """The generator of one direction of a trained model; `direction` says which."""

    spec = SPEC
    options: CycleGANOptions
    header: ModelHeader

    def __init__(self, options: CycleGANOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        arguments = read_arguments(header, CycleGANArguments)
        if options.direction not in arguments.directions:
            raise OptionError(
                f"cyclegan(direction={options.direction!r}): this model goes {' and '.join(arguments.directions)} "
                f"alone; leave direction out, or use a model trained the other way."
            )
        for name, network in arguments.build([options.direction]).items():
            self.add_module(name, network)
        choose_statistics(self.generator, options.statistics, "cyclegan")
        forth = options.direction == AB
        self.channels = arguments.generator.in_channels if forth else arguments.generator.out_channels
        asked = Conditions(header.conditions).parse(options.condition, "cyclegan")
        self.conditions, self.asked = Conditions(header.conditions if forth else {}), asked
        if forth:
            self.conditions.check_taken(getattr(arguments.generator, "condition_channels", 0), "cyclegan")

    @property
    def generator(self) -> torch.nn.Module:
        """The network of its direction."""
        return self.get_submodule(GENERATORS[self.options.direction])

    def portable(self) -> Portable:
        """Return the generator of its direction; large pictures are not shrunk for it."""
        paints = isinstance(self.generator, Painter)
        inputs = [IMAGE_FIELD, *([strokes_field(STROKES, centres=True)] if paints else [])]
        inputs += [condition_field(self.conditions.known, self.conditions.defaults)] if self.conditions else []
        graph = PortableGenerator(self.generator, self.channels, strokes=paints)
        return Portable(graph, tuple(inputs), RESULT_FIELD, self._feed)

    def _feed(self, context: Context, *, image: Tensor) -> tuple[Tensor, ...]:
        strokes = []
        if isinstance(self.generator, Painter):
            strokes = [self._draw_noise(context, WorkingResolution.of(image, 0, self.size_rule), image)[0]]
        return image, *strokes, *self._encode_conditions(context)

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Map N3HW of one domain to the other."""
        asked, paints = self.options.working_size, isinstance(self.generator, Painter)
        working = WorkingResolution.of(
            image, (WORKING_SIDE if paints else 0) if asked is None else asked, self.size_rule
        )
        small = working.shrink(image)
        z, large_z = self._draw_noise(context, working, small) if paints else (None, None)
        x = lay_out(with_noise(encode_image(small, self.channels).to(context.dtype), z))
        with seeded_dropout(self.generator, context.seeds) if self.options.stochastic else nullcontext():
            painted = decode_image(self.generator(x, *self._encode_conditions(context)))
        if working.scale == 1:
            return painted
        return working.enlarge(painted, guide_of(small, z), guide_of(working.spread(image), large_z))

    def _draw_noise(self, context: Context, working: WorkingResolution, small: Tensor) -> tuple[Tensor, Tensor]:
        """Return the strokes along each picture's contours, at the working size, and enlarged."""
        return working.draw(lay_strokes, context.seeds, rides=context.rides, along=small)

    def _encode_conditions(self, context: Context) -> list[Tensor]:
        if not self.conditions:
            return []
        rows = self.conditions.encode_asked(self.asked, context.seeds, context.facts)
        return [rows.to(context.device, context.dtype)]
