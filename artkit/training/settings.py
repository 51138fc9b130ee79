"""How long and how fast to train: the settings that every method shares."""

from __future__ import annotations

from typing import Annotated, Literal

from artkit.spec import Options, option


class Settings(Options, frozen=True):
    """Settings of a training run; a method's trainer may bring other defaults."""

    steps: Annotated[int, option("updates of the generator", ge=1)] = 10_000
    batch: Annotated[int, option("pictures a step", ge=1, le=4096)] = 1
    crop: Annotated[int, option("side of the square crops, in pixels", ge=8, le=4096)] = 256
    load: Annotated[
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
    precision: Annotated[Literal["auto", "fp32", "bf16"], option("arithmetic of the networks")] = "auto"
    device: Annotated[str, option("auto, cpu, cuda, cuda:N or mps")] = "auto"
    start: Annotated[
        str, option("a model to go on from, by name or file: its networks and how they are built; weights alone")
    ] = ""
    name: Annotated[str, option("the model's name, recorded in its file")] = ""
    licence: Annotated[str, option("the model's licence, recorded in its file")] = ""
    log_every: Annotated[int, option("steps between rows of the log", ge=1)] = 50
    sample_every: Annotated[int, option("steps between sample sheets", ge=1)] = 500
    checkpoint_every: Annotated[int, option("steps between checkpoints", ge=1)] = 500

    def rate(self, step: int) -> float:
        """Return the learning rate's factor at `step`: 1, then in a line to 0 at the last step."""
        start = self.decay_from * self.steps
        return 1.0 if step < start else (self.steps - step) / max(self.steps - start, 1)
