"""Run a network that spandrel knows: the translator."""

from __future__ import annotations

import torch
from artkit import Context, ModelHeader, OptionError, Options, Translator
from artkit.nn import read_arguments
from torch import Tensor

from artkit_spandrel import SPEC
from artkit_spandrel.networks import SpandrelArguments


class Spandrel(Translator):
    """The network, called as spandrel calls it: some give more than a picture, or want it in another range."""

    spec = SPEC
    batch = 1

    def __init__(self, options: Options, header: ModelHeader) -> None:
        super().__init__(options, header)
        self._known = read_arguments(header, SpandrelArguments).build()
        self.network = self._known.model

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the input's size times what the network enlarges by."""
        return self._known.scale * height, self._known.scale * width

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Enlarge or restore N3HW."""
        computes = {torch.float16: self._known.supports_half, torch.bfloat16: self._known.supports_bfloat16}
        if not computes.get(image.dtype, True):
            raise OptionError(f"{self._known.architecture.name} networks compute in fp32: add --precision fp32.")
        return self._known(image)
