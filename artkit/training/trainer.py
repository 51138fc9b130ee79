"""The base class of trainers, and the settings that all methods share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from artkit.data.dataset import Dataset, Sample
from artkit.errors import OptionError
from artkit.images import resize_image
from artkit.models.file import Model
from artkit.nn import GanMode, discriminator_loss, gradient_penalty, is_penalty_due
from artkit.nn.reflection import reflect_index
from artkit.spec import ModelHeader, Options, option
from artkit.training.accumulating import Accumulation
from artkit.training.adam import Adam


class Settings(Options, frozen=True):
    """Settings of a training run; a method's trainer may bring other defaults."""

    steps: Annotated[int, option("updates of the generator", ge=1)] = 10_000
    batch: Annotated[int, option("pictures at once", ge=1, le=4096)] = 1
    accumulate: Annotated[
        int, option("batches a step, whose gradients are added up: a larger batch than memory holds", ge=1, le=1024)
    ] = 1
    crop: Annotated[int, option("side of the square crops, in pixels", ge=8, le=4096)] = 256
    load_size: Annotated[
        int, option("shortest side that pictures are resized to before they are cropped; 0 leaves them", ge=0, le=8192)
    ] = 0
    seed: Annotated[int, option("seed of weights, order, crops and noise", ge=0)] = 0
    learning_rate: Annotated[float, option("Adam's learning rate", gt=0)] = 2e-4
    decay_from: Annotated[
        float, option("share of the steps after which the rate falls to zero in a line", ge=0, le=1)
    ] = 0.5
    ema: Annotated[
        float, option("decay of the weight average that is exported; 0 exports the last weights", ge=0, lt=1)
    ] = 0.999
    mirror: Annotated[bool, option("flip pictures left to right at random, where the data allows it")] = True
    jitter: Annotated[
        float,
        option("share by which the colours of the input pictures vary; a pair's target keeps its own", ge=0, le=1),
    ] = 0.0
    focus: Annotated[
        tuple[str, ...],
        option("classes of label maps, such as [house]: half of the crops are drawn around a place of one"),
    ] = ()
    precision: Annotated[Literal["auto", "fp32", "bf16"], option("arithmetic of the networks")] = "auto"
    device: Annotated[str, option("auto, cpu, cuda, cuda:N or mps")] = "auto"
    start: Annotated[
        str, option("a model to go on from, by name or file: its networks and how they are built; weights alone")
    ] = ""
    best: Annotated[
        str, option("held-out scores to take at every checkpoint; by the first, the best model is kept: ssim, say")
    ] = ""
    patience: Annotated[
        int, option("checkpoints in a row without a better score that end the run; 0: none do", ge=0)
    ] = 0
    name: Annotated[str, option("the model's name, recorded in its file")] = ""
    licence: Annotated[str, option("the model's licence, recorded in its file")] = ""
    log_every: Annotated[int, option("steps between rows of the log", ge=1)] = 50
    sample_every: Annotated[int, option("steps between sample sheets", ge=1)] = 500
    checkpoint_every: Annotated[int, option("steps between checkpoints", ge=1)] = 500

    @property
    def pictures(self) -> int:
        """Pictures a step."""
        return self.batch * self.accumulate

    def rate(self, step: int) -> float:
        """Return the learning rate's factor at `step`: 1, then in a line to 0 at the last step."""
        start = self.decay_from * self.steps
        return 1.0 if step < start else (self.steps - step) / max(self.steps - start, 1)


class Restart(Exception):
    """Raised by a training step that gives the run up for lost: it starts anew with another seed, and says why."""


class Trainer(ABC):
    """A method's networks, its optimisers, and one step of its training.

    Core owns the rest: device, precision, the loop, checkpoints, schedule, weight averages, log and sample sheets; it
    watches the losses whose names begin with `discriminator` for a collapse. In
    its constructor a trainer sets its networks as attributes, which `networks` collects by their names, fills
    `optimisers`, and names in `columns` what it reads of the dataset; a text column named in `balance` has each of its
    values drawn equally often. `step` counts the steps taken, also those before an interruption.

    A subclass writes `options: MyTraining` and its networks' types, `generator: UnetGenerator`, into its body.
    """

    defaults: ClassVar[dict[str, Any]] = {}
    """Settings that differ from the shared defaults."""
    averaged: tuple[str, ...] = ("generator",)
    """Networks whose weight average is exported."""
    unpaired: ClassVar[bool] = False
    """Whether each column is drawn in an order of its own: then pictures need no partners."""

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """Return the training options that a model's networks were built with, for a run that starts from it."""
        return {}

    def fit_start(self, model: Model) -> Model:
        """Return a model that a run starts from so that it fits the networks here: as it is, by default."""
        return model

    def __init__(self, options: Options, settings: Settings, dataset: Dataset) -> None:
        self.networks: dict[str, nn.Module] = {}
        self.options, self.settings = options, settings
        self.optimisers: dict[str, torch.optim.Optimizer] = {}
        self.averages: dict[str, nn.Module] = {}
        self.columns: tuple[str, ...] = ()
        self.step = 0
        self.balance: str | None = None
        self.accumulation: Accumulation | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Collect networks by their attributes' names, as nn.Module does its submodules."""
        if isinstance(value, nn.Module):
            self.networks[name] = value
        super().__setattr__(name, value)

    def prepare(self, sample: Sample) -> Sample:
        """Add to a whole sample, before it is cropped, what the method needs besides; the result is cached."""
        return sample

    @abstractmethod
    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the networks once, from one batch; return the losses to log (scalars, detached by core)."""

    @abstractmethod
    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Return pictures to show side by side, each N3HW in [0, 1]: input, output and target, say."""

    @abstractmethod
    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the header and the tensors of the model file."""

    def extra_state(self) -> dict[str, Any]:
        """Return state besides networks and optimisers that a resumed run needs (an image pool, say)."""
        return {}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `extra_state` returned."""

    def update(self, name: str, loss: Tensor) -> None:
        """Take one step of the named optimiser down the loss's gradient.

        Trainers take all their steps here: so gradients are accumulated over batches where a run asks for it.
        """
        with self.updating(name):
            self.backward(loss)

    @contextmanager
    def updating(self, name: str) -> Iterator[None]:
        """Take one step of the named optimiser, in the end, down the gradients that the block adds up by `backward`."""
        if self.accumulation is not None:
            with self.accumulation.updating(name):
                yield
            return
        self.optimisers[name].zero_grad(set_to_none=True)
        yield
        self.optimisers[name].step()

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradient to those of the step; its graph is freed."""
        if self.accumulation is not None:
            self.accumulation.backward(loss)
        else:
            loss.backward()

    def update_discriminator(
        self, name: str, real: Tensor, fake: Tensor, gan: GanMode, *, r1: float = 0.0, every: int = 16
    ) -> Tensor:
        """Take one step of the named discriminator, by its own optimiser, towards telling `real` from `fake`.

        No gradient reaches what made `fake`. `r1` is gamma of the R1 penalty, paid in one step of `every` on average,
        and then so many times. Returns the adversarial loss, without the penalty.
        """
        discriminator = self.networks[name]
        set_trainable(discriminator, True)
        due = r1 > 0 and is_penalty_due(every)
        real = real.detach().requires_grad_(due)
        logits = discriminator(real)
        loss = discriminator_loss(logits, discriminator(fake.detach()), gan)
        penalty = r1 / 2 * every * gradient_penalty(logits, real) if due else 0.0
        self.update(name, loss + penalty)
        return loss

    def check_crop(self, multiple: int, least: int = 1) -> None:
        """Raise OptionError where crops are no multiple of what the networks take, or less than `least` px."""
        crop = self.settings.crop
        if crop % multiple or crop < least:
            fitting = max(-(-least // multiple), round(crop / multiple)) * multiple
            raise OptionError(
                f"crop={crop} does not fit the networks: try {fitting}, or another multiple of {multiple}."
            )

    def exported(self, name: str) -> nn.Module:
        """Return a network's weight average where it has one, else the network."""
        return self.averages.get(name, self.networks[name])

    def exported_tensors(self) -> dict[str, Tensor]:
        """Return the tensors of all `averaged` networks as a model file names them: `NETWORK.TENSOR`."""
        states = {name: self.exported(name).state_dict() for name in self.averaged}
        return {f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}

    def adam(self, *names: str, betas: tuple[float, float] = (0.5, 0.999), scale: float = 1.0) -> torch.optim.Optimizer:
        """Make one Adam over the named networks, at `scale` times the run's learning rate."""
        parameters = [parameter for name in names for parameter in self.networks[name].parameters()]
        return Adam(parameters, self.settings.learning_rate * scale, betas)


def set_trainable(module: nn.Module, trainable: bool) -> None:
    """Switch gradients of a network's weights: off for the discriminator while the generator learns."""
    module.requires_grad_(trainable)


def slow_down(optimiser: torch.optim.Optimizer, parameters: set[nn.Parameter], factor: float) -> None:
    """Give some of an optimiser's parameters a group of their own, of `factor` times the learning rate."""
    [group] = optimiser.param_groups
    group["params"], slow = (
        [one for one in group["params"] if (one in parameters) is inside] for inside in (False, True)
    )
    optimiser.add_param_group({"params": slow, "lr": group["lr"] * factor})


def scale_to_crop(sample: Sample, name: str, crop: int) -> Sample:
    """Scale a sample's picture `name`, bytes 3 H W, until its shorter side is the crop's, as far as that can be.

    For methods that learn whole pictures, not details.
    """
    picture = sample[name]
    assert isinstance(picture, Tensor)
    height, width = picture.shape[-2:]
    scale = crop / min(height, width)
    if scale != 1:
        size = (max(crop, round(height * scale)), max(crop, round(width * scale)))
        scaled = resize_image(picture[None].float() / 255, size)[0]
        sample[name] = (scaled * 255).round().to(torch.uint8)
    return sample


def trim(value: Tensor, multiple: int) -> Tensor:
    """Cut a preview, ... H W, at the bottom and right to sides that a network takes; mirror up what is too small."""
    for axis in (-2, -1):
        side = value.shape[axis]
        wanted = max(side // multiple, 1) * multiple
        if wanted > side:
            value = value.index_select(axis, reflect_index(side, wanted).to(value.device))
        value = value.narrow(axis, 0, wanted)
    return value
