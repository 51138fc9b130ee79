"""Train the colouriser: forget the colours of pictures, guess them, learn from the difference."""

from __future__ import annotations

from typing import Any, ClassVar

from artkit import Kind, ModelHeader
from artkit.data import Dataset
from artkit.models import Model
from artkit.nn import options_of_arguments, read_arguments
from artkit.training import Settings, Trainer, trim
from torch import Tensor, nn

from artkit_colouriser import SPEC, ColouriserTraining
from artkit_colouriser.colour import chroma, colour, luminance
from artkit_colouriser.networks import ColouriserArguments, network_arguments


class ColouriserTrainer(Trainer):
    """An L1 loss on the chroma, where colourful pixels count more: else the safest guess, grey, would win."""

    defaults: ClassVar[dict[str, Any]] = {"batch": 8, "crop": 128, "learning_rate": 1e-3, "jitter": 0.0}
    options: ColouriserTraining
    generator: nn.Module

    def __init__(self, options: ColouriserTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        pictures = [column.name for column in dataset.columns.values() if column.kind is Kind.IMAGE]
        self.columns = tuple(dataset.column(name).name for name in options.sources) or tuple(pictures)
        self.arguments = network_arguments(options.width, options.blocks)
        self.check_crop(self.arguments.generator.size_rule.multiple)
        self.generator = self.arguments.generator.build()
        self.optimisers = {"generator": self.adam("generator", betas=(0.9, 0.999))}

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """Return the options that a model's network was built with, for a run that starts from it."""
        return options_of_arguments(read_arguments(model.header, ColouriserArguments).generator, ColouriserTraining)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the network once; the columns take turns."""
        picture = batch[self.columns[self.step % len(self.columns)]]
        wanted = chroma(picture)
        guess = self.generator(luminance(picture) * 2 - 1)
        weight = 1 + self.options.vivid * wanted.abs().mean(1, keepdim=True)
        loss = ((guess - wanted).abs() * weight).mean()
        self.update("generator", loss)
        return {"chroma": loss}

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the first column's pictures grey, coloured, and as they were."""
        picture = trim(batch[self.columns[0]], self.arguments.generator.size_rule.multiple)
        light = luminance(picture)
        guess = self.exported("generator")(light * 2 - 1)
        return [light.expand_as(picture), colour(light, guess), picture]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the model: what is needed to build the network, and its weights."""
        header = ModelHeader(
            method=SPEC.name,
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            **self.arguments.generator.header_fields(),
        )
        return header, self.exported_tensors()
