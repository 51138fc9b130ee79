"""Optimisation of a picture (Gatys et al. 2016) by Adam or L-BFGS; here coarse to fine, in a given time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from artkit_nst import NstOptions
from artkit_nst.colour import luma
from artkit_nst.levels import Maps
from artkit_nst.painting import EFFORTS, Journal, Painter
from artkit_nst.patches import Source
from artkit_nst.pyramid import level_sizes, resize
from artkit_nst.style import Style
from artkit_nst.vgg.losses import STYLE_LOSSES
from artkit_nst.vgg.network import SMALLEST, Vgg19
from artkit_nst.vgg.objective import Objective, Weights

RATE = 0.02  # of Adam
MEMORY = 0.95  # of the average of iterates, which is shown: it wavers less than each of them
COARSEST = 128  # no level but the last has a shorter long side: features need room

_log = logging.getLogger("artkit.nst")


Size = tuple[int, int]


class TimeBudget:
    """A time budget: it counts steps, `steps[i]` at `sizes[i]`, in no more than `seconds` (None: as long as it takes).

    `spent` seconds are gone already. Sizes share the time by pixels and steps.
    """

    def __init__(self, seconds: float | None, sizes: Sequence[Size], steps: Sequence[int], spent: float = 0.0) -> None:
        self.seconds, self.sizes, self.steps = seconds, sizes, steps
        self.share = 0.0
        self._start = time.monotonic() - spent
        self._pace: float | None = None  # seconds a step takes for each pixel
        costs = [height * width * count for (height, width), count in zip(sizes, steps, strict=True)]
        self._ends = [sum(costs[: number + 1]) / sum(costs) for number in range(len(costs))]

    @property
    def spent(self) -> float:
        """Seconds that are gone."""
        return time.monotonic() - self._start

    def affords(self, number: int) -> bool:
        """Tell whether one step at size `number` will end in time, by what steps took so far; the first always does."""
        if self.seconds is None or self._pace is None:
            return True
        height, width = self.sizes[number]
        return self.spent + self._pace * height * width <= self.seconds

    def count(self, number: int, done: int = 0) -> Iterator[int]:
        """Count steps at size `number` from `done` on, one at least, until there are enough or its time is used up.

        `share` tells, when a step is counted, how much of the whole work is done after it.
        """
        height, width = self.sizes[number]
        before = self._ends[number - 1] if number else 0.0
        for step in range(done, self.steps[number]):
            begin = time.monotonic()
            self.share = before + (self._ends[number] - before) * (step + 1) / self.steps[number]
            yield step
            self._pace = (time.monotonic() - begin) / (height * width)
            if self.seconds is not None and self.spent > self.seconds * self._ends[number]:
                return


Gradient = Callable[[Tensor], tuple[float, Tensor]]
"""The loss of a picture, and the gradient of that."""


class Descent:
    """A picture (3HW) on its way; `good` is the best it has come to: for Adam the average, for L-BFGS where it is."""

    def __init__(self, start: Tensor, optimiser: str) -> None:
        self.picture = start.detach().clone().requires_grad_()
        self.good, self._average, self._weight = start.detach(), torch.zeros_like(start), 0.0
        self._averages = optimiser == "adam"
        self._optimiser: torch.optim.Optimizer = (
            torch.optim.Adam([self.picture], lr=RATE, betas=(0.9, 0.99))
            if self._averages
            else torch.optim.LBFGS([self.picture], lr=1.0, max_iter=1, history_size=10)
        )

    def step(self, gradient: Gradient) -> bool:
        """Take one step, back into [0, 1]; return False where the loss is no number, or leads to a picture of none."""

        def closure() -> float:
            loss, slope = gradient(self.picture)
            # Losses are means over the picture. Times its pixels, slopes do not vanish beside the optimisers' epsilons.
            self.picture.grad = slope * slope.numel()
            return loss

        loss = float(self._optimiser.step(closure))
        with torch.no_grad():
            if not math.isfinite(loss) or not bool(torch.isfinite(self.picture).all()):
                return False
            self.picture.clamp_(0, 1)
            self._average = MEMORY * self._average + (1 - MEMORY) * self.picture
            self._weight = MEMORY * self._weight + 1 - MEMORY
            self.good = self._average / self._weight if self._averages else self.picture.detach().clone()
        return True

    def state(self) -> dict[str, Any]:
        """Return all that the next steps depend on."""
        return {
            "picture": self.picture.detach(),
            "good": self.good,
            "average": self._average,
            "weight": self._weight,
            "optimiser": self._optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where another descent of the same picture was."""
        with torch.no_grad():
            self.picture.copy_(state["picture"])
        self.good, self._average = (state[name].to(self.good) for name in ("good", "average"))
        self._weight = state["weight"]
        self._optimiser.load_state_dict(state["optimiser"])


@dataclass(frozen=True)
class Schedule:
    """How to optimise: `steps` at the coarsest size and half as many at each other; `seconds` for all, None for any."""

    loss: str
    optimiser: str
    steps: int
    seconds: float | None
    weights: Weights


def plan_schedule(options: NstOptions) -> Schedule:
    """Return how to optimise, from the options of a step: `strength` trades the photo for the style."""
    weights = Weights(content=10 ** (-2 * options.strength), style=1.0, variation=options.smoothness)
    steps = options.steps or EFFORTS[options.quality].steps
    return Schedule(options.loss, options.optimiser, steps, options.time_budget, weights)


def begin(name: str, photo: Tensor, painter: Painter, maps: Maps, seed: int, journal: Journal | None = None) -> Tensor:
    """Return the picture (3HW) that is optimised: a draft of the engine `patch`, the photo, or noise around grey."""
    if name == "patch":
        return replace(painter, effort=EFFORTS["draft"]).paint(photo, seed, maps, journal).expand(3, -1, -1)
    if name == "photo":
        return photo.expand(3, -1, -1)
    noise = torch.randn(3, *photo.shape[-2:], generator=torch.Generator().manual_seed(seed)).to(photo)
    return (0.5 + 0.25 * noise).clamp(0, 1)


def transfer(
    network: Vgg19,
    photo: Tensor,
    style: Style,
    start: Callable[[], Tensor],
    schedule: Schedule,
    maps: Maps | None = None,
    journal: Journal | None = None,
) -> Tensor:
    """Optimise what `start` returns (3HW, as large as the photo) for a photo's content and a style.

    The photo (CHW in [0, 1]) and the picture that is returned are in colour, or grey. The same arguments give the same
    picture, from wherever the journal lets it go on, unless time runs out. Where a loss is no number, that size ends
    early with what was good so far.
    """
    journal, maps, sizes = journal or Journal(), maps or Maps(), find_sizes(photo.shape[-2], photo.shape[-1])
    with torch.inference_mode(False):
        begun = journal.last() or {"level": 0, "step": 0, "seconds": 0.0, "descent": None}
    picture = start() if begun["descent"] is None else begun["descent"]["good"].to(photo)
    steps = [schedule.steps if number == 0 else max(1, schedule.steps // 2) for number in range(len(sizes))]
    budget = TimeBudget(schedule.seconds, sizes, steps, begun["seconds"])
    with torch.inference_mode(False), torch.enable_grad():
        for number, size in list(enumerate(sizes))[begun["level"] :]:
            picture = resize(picture.clone(), size).clamp(0, 1)
            objective = _objective(network, photo, style, maps, size, schedule)
            if objective is None:
                continue
            if not budget.affords(number):
                _log.warning("nst: time runs out: what follows is enlarged from %d pixels.", max(sizes[number - 1]))
                break
            kept, begun["descent"] = begun["descent"], None
            descent = Descent(picture, schedule.optimiser)
            if kept is not None:
                descent.load(kept)
            counted = budget.count(number, begun["step"] if kept is not None else 0)
            picture = _descend(descent, objective, counted, partial(_enter, journal, photo, budget, number, descent))
    return _shown(picture, photo)


def find_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return (height, width) of every size that a picture is optimised at, coarsest first, its own last."""
    return [size for size in level_sizes(height, width)[:-1] if max(size) >= COARSEST] + [(height, width)]


def _objective(
    network: Vgg19, photo: Tensor, style: Style, maps: Maps, size: tuple[int, int], schedule: Schedule
) -> Objective | None:
    """Return what to optimise for at a size; None where the photo or all styles are too small for the network."""
    sources = [_fresh(source) for source in style.at(size) if min(source.picture.shape[-2:]) >= SMALLEST]
    if min(size) < SMALLEST or not sources:
        return None
    small = Maps(*(None if given is None else resize(given.clone(), size) for given in (maps.regions, maps.importance)))
    goal = resize(photo.clone(), size).expand(3, -1, -1)
    return Objective(network, goal, sources, small, STYLE_LOSSES[schedule.loss], schedule.weights)


def _descend(descent: Descent, objective: Objective, steps: Iterator[int], enter: Callable[[int], None]) -> Tensor:
    for step in steps:
        if not descent.step(partial(objective.gradient, turn=step)):
            _log.warning("nst: the loss is no number any more: this size ends with what was good so far.")
            break
        enter(step + 1)
    return descent.good


def _enter(journal: Journal, photo: Tensor, budget: TimeBudget, level: int, descent: Descent, step: int) -> None:
    def state() -> dict[str, Any]:
        return {"level": level, "step": step, "seconds": budget.spent, "descent": descent.state()}

    journal.enter(budget.share, partial(_shown, descent.good, photo), state)


def _shown(picture: Tensor, photo: Tensor) -> Tensor:
    """Return a picture (3HW) as large as the photo (CHW), and grey where that is."""
    large = resize(picture.detach(), (photo.shape[-2], photo.shape[-1])).clamp(0, 1)
    return luma(large) if len(photo) == 1 else large


def _fresh(source: Source) -> Source:
    """Return a copy that gradients may flow past: what was made in inference mode refuses them."""
    regions = None if source.regions is None else source.regions.clone()
    return Source(source.picture.clone().expand(3, -1, -1), source.share, regions)
