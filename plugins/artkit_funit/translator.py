"""Run a funit model: the translator."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from artkit import Context, ModelHeader, Translator
from artkit.nn import (
    IMAGE_FIELD,
    RESULT_FIELD,
    WORKING_SIDE,
    Portable,
    PortableField,
    WorkingResolution,
    decode_image,
    encode_image,
    fit_style,
    fix_length,
    lay_swirls,
    painting_guide,
    read_arguments,
    strokes_field,
)
from artkit.nn.layout import lay_out
from artkit_funit import SPEC, FunitOptions
from artkit_funit.networks import FunitArguments
from artkit_funit.portable import PortableLook

STYLE_MEANING = "a picture of the look, RGB from 0 to 1, at most 256 pixels a side: its strokes as wide as in training"


class Funit(Translator):
    """Generator and class encoder of a trained model."""

    spec = SPEC
    options: FunitOptions
    header: ModelHeader

    def __init__(self, options: FunitOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.arguments = read_arguments(header, FunitArguments).generator
        self.generator, self.encoder = self.arguments.build(), self.arguments.build_encoder()

    def translate(self, context: Context, *, image: Tensor, style: list[Tensor]) -> Tensor:
        """Show N3HW in the look of K pictures N3hw, of any sizes."""
        working = WorkingResolution.of(image, self._working_side(), self.size_rule)
        small = working.shrink(image)
        z, large_z = self._draw_noise(context, working)
        code = self._find_code(image, style).to(context.dtype)
        x = lay_out(encode_image(small).to(context.dtype))
        painted = decode_image(self.generator(x, z, code))
        if working.scale == 1:
            return painted
        return working.enlarge(painted, painting_guide(small, z), painting_guide(working.spread(image), large_z))

    def portable(self) -> Portable:
        """Return the generator with its class encoder, for one picture of the look; large pictures are not shrunk."""
        style = PortableField("style", "image", (1, 3, "style_height", "style_width"), STYLE_MEANING)
        strokes = [strokes_field()] if self.arguments.noise_channels else []
        graph = PortableLook(self.generator, self.encoder)
        return Portable(graph, (IMAGE_FIELD, style, *strokes), RESULT_FIELD, self._feed)

    def _feed(self, context: Context, *, image: Tensor, style: list[Tensor]) -> tuple[Tensor, ...]:
        z, _ = self._draw_noise(context, WorkingResolution.of(image, 0, self.size_rule))
        return image, decode_image(fit_style(style[0])), *([] if z is None else [z])

    def _find_code(self, image: Tensor, style: list[Tensor]) -> Tensor:
        """Return the mean of the class pictures' codes, N `code` (eq. 2); less far from the picture's own if asked."""
        code = fix_length(torch.stack([self._encode(picture) for picture in style]).mean(0))
        if self.options.strength == 1:
            return code
        rim = self.size_rule.margin  # is mirrored: what it shows would count twice
        own = self._encode(image[..., rim : image.shape[-2] - rim, rim : image.shape[-1] - rim])
        return fix_length(torch.lerp(own, code, self.options.strength))

    def _encode(self, picture: Tensor) -> Tensor:
        weight = next(self.encoder.parameters())
        return self.encoder(fit_style(picture).to(weight.dtype))

    def _working_side(self) -> int:
        asked = self.options.working_size
        return (WORKING_SIDE if self.arguments.noise_channels else 0) if asked is None else asked

    def _draw_noise(self, context: Context, working: WorkingResolution) -> tuple[Tensor | None, Tensor | None]:
        """Return the strokes at the working size, and enlarged."""
        if not self.arguments.noise_channels:
            return None, None
        lay = partial(lay_swirls, device=context.device, dtype=context.dtype)
        return working.draw(lay, context.seeds, rides=context.rides)
