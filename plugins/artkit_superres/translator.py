"""Run a superres model: the translator."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from artkit import Context, ModelHeader, OptionError, Translator
from artkit.nn import IMAGE_FIELD, RESULT_FIELD, Edsr, Portable, fix_tiles, read_arguments
from artkit_superres import SPEC, SuperresOptions
from artkit_superres.networks import Eightfold, SuperresArguments, network_name
from artkit_superres.portable import PortableEdsr


class Superres(Translator):
    """The network of the scale that is asked for; a model may hold several.

    The picture comes in float32 whatever the arithmetic of the network: fine steps of colour survive in what the
    network adds to.
    """

    spec = SPEC
    keeps_float = True
    options: SuperresOptions

    def __init__(self, options: SuperresOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        scales = read_arguments(header, SuperresArguments).by_scale
        self.scale = options.scale or min(scales)
        if self.scale not in scales:
            known = " or ".join(f"scale={scale}" for scale in scales)
            raise OptionError(f"superres(scale={options.scale}): this model has {known}.")
        for scale, arguments in scales.items():
            self.add_module(network_name(scale), arguments.build())

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the input's size times the scale."""
        return self.scale * height, self.scale * width

    def portable(self) -> Portable:
        """Return the network of its scale."""
        sides = tuple(f"{self.scale}*{side}" for side in ("height", "width"))
        output = replace(RESULT_FIELD, axes=(1, 3, *sides))
        network = self.get_submodule(network_name(self.scale))
        graph = self._of_quality(PortableEdsr(network) if isinstance(network, Edsr) else network)
        return Portable(graph, (IMAGE_FIELD,), output, lambda context, *, image: (image,))

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Enlarge N3HW."""
        with fix_tiles(self.options.tile):
            enlarged: Tensor = self._of_quality(self.get_submodule(network_name(self.scale)))(image)
            return enlarged

    def _of_quality(self, network: nn.Module) -> nn.Module:
        return Eightfold(network) if self.options.quality == "best" else network
