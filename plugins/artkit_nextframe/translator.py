"""Run a nextframe model: the translator."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from artkit import Context, ModelHeader, Translator
from artkit.nn import IMAGE_FIELD, RESULT_FIELD, Portable, decode_image, encode_image, read_arguments
from artkit_nextframe import SPEC, NextFrameOptions
from artkit_nextframe.arguments import NextFrameArguments
from artkit_nextframe.portable import PortablePredictor


class NextFrame(Translator):
    """The network of a trained model; its own predictions are what it sees when it looks further ahead."""

    spec = SPEC
    options: NextFrameOptions
    header: ModelHeader

    def __init__(self, options: NextFrameOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.predictor = read_arguments(header, NextFrameArguments).predictor.build()

    def portable(self) -> Portable:
        """Return the predictor."""
        told = {"before2": "the picture two frames before", "before": "the picture a frame before"}
        earlier = tuple(replace(IMAGE_FIELD, name=name, meaning=f"{text}, as image") for name, text in told.items())
        graph = PortablePredictor(self.predictor, self.options.ahead)
        return Portable(graph, (*earlier, IMAGE_FIELD), RESULT_FIELD, self._feed)

    def _feed(self, context: Context, *, image: Tensor, before: Tensor, before2: Tensor) -> tuple[Tensor, ...]:
        return before2, before, image

    def translate(self, context: Context, *, image: Tensor, before: Tensor, before2: Tensor) -> Tensor:
        """Predict the frame that follows, or one further ahead."""
        frames = torch.stack([encode_image(frame) for frame in (before2, before, image)], 1)
        for number in range(self.options.ahead):
            following = self.predictor(frames).clamp(-1, 1)
            frames = torch.cat([frames[:, 1:], following[:, None]], 1)
            context.progress((number + 1) / self.options.ahead, lambda seen=following: decode_image(seen).float())
        return decode_image(frames[:, -1])
