"""A one-file plugin with something to learn: `tint` adds one colour, and learns which from pairs."""

from __future__ import annotations

import time
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from artkit.data import Dataset
from artkit.hookspecs import hookimpl
from artkit.spec import Kind, MethodSpec, ModelHeader, Options, Port, option
from artkit.training import Settings, Trainer
from artkit.translator import Context, Translator


class TintTraining(Options):
    """Options of its training."""

    pause: Annotated[float, option("seconds to rest after each step", ge=0)] = 0.0


class Tint(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.colour = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.colour


class TintTranslator(Translator):
    def __init__(self, options: Options, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.generator = Tint()

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        return self.generator(image)


class TintTrainer(Trainer):
    def __init__(self, options: TintTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.options = options
        self.columns = tuple(dataset.columns)[:2]
        self.networks = {"generator": Tint()}
        self.optimisers = {"generator": self.adam("generator")}

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        source, target = (batch[name] for name in self.columns)
        loss = (self.networks["generator"](source) - target).abs().mean()
        self.optimisers["generator"].zero_grad()
        loss.backward()
        self.optimisers["generator"].step()
        if self.options.pause:
            print("a step", flush=True)
            time.sleep(self.options.pause)
        return {"distance": loss.detach()}

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        source, target = (batch[name] for name in self.columns)
        return [source, self.exported("generator")(source), target]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        header = ModelHeader(
            method="tint", name="warm", architecture="tint", inputs={"image": Kind.IMAGE}, output=Kind.IMAGE
        )
        return header, {f"generator.{name}": tensor for name, tensor in self.exported("generator").state_dict().items()}


SPEC = MethodSpec(
    name="tint",
    summary="Add a colour.",
    inputs=(Port("image", Kind.IMAGE, "the picture"),),
    output=Kind.IMAGE,
    translator=f"{__name__}:TintTranslator",
    trainer=f"{__name__}:TintTrainer",
    training_options=TintTraining,
)
TintTranslator.spec = SPEC


@hookimpl
def register_methods() -> list[MethodSpec]:
    return [SPEC]
