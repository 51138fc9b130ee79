"""Pictures on their way through the steps of a chain, what the steps made of them, and the sizes of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from artkit.chain.arguments import parse_size
from artkit.chain.plan import PlannedStep
from artkit.chain.steps import Size
from artkit.engine.inputs import Input
from artkit.engine.step import place
from artkit.errors import ImageError, PluginError
from artkit.images import Picture
from artkit.images.decoding import max_pixels
from artkit.motion import Motion
from artkit.spec import Port
from artkit.translator import unfinite

DREAM_SIZE = (512, 384)
"""(width, height) of what a source makes when nobody says a size."""


@dataclass(frozen=True)
class StepResult:
    """What one step made, how long it took, and what its translator reports of the picture.

    `nested` holds, by port, what the steps of the chains that fed it made. `share` is less than 1 where Ctrl-C ended
    the step: the picture is what it had by then. `batch` pictures were computed at once, and `seconds` are one's part.
    `clock` holds the events before and after the step on a GPU, which works on by itself: until `settle` asks it, the
    seconds are those of giving it the work.
    """

    index: int
    method: str
    picture: Picture
    seconds: float
    report: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, list[StepResult]] = field(default_factory=dict)
    share: float = 1.0
    batch: int = 1
    clock: tuple[torch.cuda.Event, torch.cuda.Event] | None = field(default=None, repr=False, compare=False)


@dataclass
class Work:
    """A picture on its way through the steps: `source` is the chain's input, `picture` what the last step made.

    `given` and `given_before` are what was read, `before` the pictures before it in the size of the run, the nearest
    first; `motion` is what is known of a frame of a clip.
    """

    given: Input | None
    seed: int
    extent: tuple[int, int] | None
    own: int = 0
    source: Picture | None = None
    picture: Picture | None = None
    given_before: Sequence[Input] = ()
    before: Sequence[Picture] = ()
    motion: Motion | None = None
    results: list[StepResult] = field(default_factory=list)

    def bound(self, binding: str, port: Port) -> Picture | None:
        """Return what feeds a port that is bound to a picture of the run: what the last step made, or an input.

        Of those before it, the one that the port looks back at; at the start none, or the first where it is required.
        """
        if binding != "before":
            return self.source if binding == "original" else self.picture
        if port.previous <= len(self.before):
            return self.before[port.previous - 1]
        first = self.before[-1] if self.before else self.source
        return first if port.required else None

    def number(self, planned: PlannedStep) -> int:
        """Return the seed of a step before it is mixed with its place: its own, or else the run's."""
        return self.seed if planned.seed is None else planned.seed


def settle(results: Sequence[StepResult]) -> list[StepResult]:
    """Bring what `Runner.compute` made to the CPU. Raises PluginError for values that are no numbers."""
    return [_settled(result) for result in results]


def _settled(result: StepResult) -> StepResult:
    nested = {port: settle(made) for port, made in result.nested.items()}
    if result.picture.tensor.device.type == "cpu":
        return replace(result, nested=nested)
    picture, seconds = place(result.picture, torch.device("cpu")), result.seconds
    if picture.tensor.is_floating_point() and bool(picture.tensor[0, 0, 0, 0].isnan()):
        raise PluginError(unfinite(result.method))
    if result.clock is not None:
        began, ended = result.clock
        ended.synchronize()
        seconds = max(seconds, began.elapsed_time(ended) / 1000 / result.batch)
    return replace(result, picture=picture, nested=nested, seconds=seconds, clock=None)


def own_seed(picture: Picture) -> int:
    """Return a seed that a picture has by its pixels, whatever its name and the order of work; never 0."""
    digest = hashlib.blake2b(picture.tensor.contiguous().numpy(force=True).tobytes(), digest_size=7)
    return 1 + int.from_bytes(digest.digest(), "little")


def extent_of(wanted: Size, source: Picture | None) -> tuple[int, int]:
    """Return (width, height): that of the input, or of a dream, scaled where `wanted` is the longest side alone.

    Refuse to make more pixels than artkit reads.
    """
    size = parse_size(wanted)
    if isinstance(size, int):
        width, height = (source.width, source.height) if source else DREAM_SIZE
        scale = size / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
    if size[0] * size[1] > max_pixels():
        raise ImageError(
            f"{size[0]}x{size[1]} are more pixels than the limit of {max_pixels()}: give a smaller --size, or set "
            "ARTKIT_MAX_PIXELS higher."
        )
    return size
