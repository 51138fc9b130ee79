"""Run a pix2pix model: the translator."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

from torch import Tensor

from artkit import Context, ModelHeader, Translator
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
    heights,
    labels_field,
    lay_swirls,
    painting_guide,
    read_arguments,
    seeded_dropout,
    strokes_field,
)
from artkit_pix2pix import SPEC, Pix2PixOptions
from artkit_pix2pix.networks import Pix2PixArguments, encode_input
from artkit_pix2pix.portable import PortableGenerator


class Pix2Pix(Translator):
    """The generator of a trained model; its header says what it takes, what conditions it, and whether it sees z."""

    spec = SPEC
    options: Pix2PixOptions
    header: ModelHeader

    def __init__(self, options: Pix2PixOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.arguments = read_arguments(header, Pix2PixArguments)
        self.generator = self.arguments.generator.build()
        choose_statistics(self.generator, options.statistics, "pix2pix")
        self.classes = len(header.classes) if header.classes and header.inputs.get("image") == "labels" else None
        self.conditions = Conditions(header.conditions, self.arguments.default_conditions)
        self.conditions.check_taken(getattr(self.arguments.generator, "condition_channels", 0), "pix2pix")
        self.asked = self.conditions.parse(options.condition, "pix2pix")

    def portable(self) -> Portable:
        """Return the generator, which draws its own heights; large pictures are not shrunk for it."""
        strokes = self.arguments.noise == "strokes"
        inputs = [labels_field(self.header.classes) if self.classes and self.header.classes else IMAGE_FIELD]
        inputs += [strokes_field()] if strokes else []
        inputs += [condition_field(self.conditions.known, self.conditions.defaults)] if self.conditions else []
        margin = self.size_rule.margin if self.arguments.heights else None
        graph = PortableGenerator(self.generator, self.classes, self.arguments.channels, strokes=strokes, margin=margin)
        return Portable(graph, tuple(inputs), RESULT_FIELD, self._feed)

    def _feed(self, context: Context, *, image: Tensor) -> tuple[Tensor, ...]:
        z, _ = self._draw_noise(context, WorkingResolution.of(image, 0, self.size_rule))
        return image, *([] if z is None else [z]), *self._encode_conditions(context)

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Map N3HW, or labels N H W where the model takes label maps, to a picture."""
        working = WorkingResolution.of(image, self._working_side(), self.size_rule)
        small = working.shrink(image)
        z, large_z = self._draw_noise(context, working)
        fields = z, self._measure_heights(small)
        x = encode_input(small, self.classes, *fields, channels=self.arguments.channels).to(context.dtype)
        with seeded_dropout(self.generator, context.seeds) if self.options.stochastic else nullcontext():
            painted = decode_image(self.generator(x, *self._encode_conditions(context)))
        if working.scale == 1:
            return painted
        return working.enlarge(painted, painting_guide(small, z), painting_guide(working.spread(image), large_z))

    def _working_side(self) -> int:
        asked = self.options.working_size
        return (WORKING_SIDE if self.arguments.noise == "strokes" else 0) if asked is None else asked

    def _draw_noise(self, context: Context, working: WorkingResolution) -> tuple[Tensor | None, Tensor | None]:
        """Return the strokes at the working size, and enlarged."""
        if self.arguments.noise == "none":
            return None, None
        lay = partial(lay_swirls, device=context.device, dtype=context.dtype)
        return working.draw(lay, context.seeds, rides=context.rides)

    def _measure_heights(self, image: Tensor) -> Tensor | None:
        if not self.arguments.heights:
            return None
        rows, columns = image.shape[-2:]
        return heights(rows, columns, self.size_rule.margin).to(image.device).expand(len(image), -1, -1, -1)

    def _encode_conditions(self, context: Context) -> list[Tensor]:
        if not self.conditions:
            return []
        rows = self.conditions.encode_asked(self.asked, context.seeds, context.facts)
        return [rows.to(context.device, context.dtype)]
