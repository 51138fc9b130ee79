"""Gatys et al. 2016: a picture changed step by step until its features fit; here coarse to fine, in a given time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artkit_nst import NstOptions
from artkit_nst.effort import EFFORTS
from artkit_nst.keys import Source
from artkit_nst.painting import Painter, Watch
from artkit_nst.scales import level_sizes, resize
from artkit_nst.style import Style
from artkit_nst.vgg.losses import STYLE_LOSSES
from artkit_nst.vgg.network import SMALLEST, Vgg19
from artkit_nst.vgg.objective import Objective, Weights

COARSEST = 128  # no level but the last has a shorter long side: features need room
RATE = 0.02  # of Adam
MEMORY = 0.95  # of the average of iterates, which is shown: it wavers less than each of them

_log = logging.getLogger("artkit.nst")


@dataclass(frozen=True)
class Labour:
    """How to optimise: `steps` at the coarsest size and half as many at each other; `seconds` for all, None for any."""

    loss: str
    optimiser: str
    steps: int
    seconds: float | None
    weights: Weights


def labour(options: NstOptions) -> Labour:
    """Return how to optimise, from the options of a step: `strength` trades the photo for the style."""
    weights = Weights(content=10 ** (-2 * options.strength), style=1.0, variation=options.smoothness)
    steps = options.steps or EFFORTS[options.quality].steps
    return Labour(options.loss, options.optimiser, steps, options.time_budget, weights)


def begin(name: str, photo: Tensor, painter: Painter, regions: Tensor | None, seed: int) -> Tensor:
    """Return the picture (3HW) that is optimised: a draft of the engine `patch`, the photo, or noise around grey."""
    if name == "patch":
        return replace(painter, effort=EFFORTS["draft"]).paint(photo, seed, regions).expand(3, -1, -1)
    if name == "photo":
        return photo.expand(3, -1, -1)
    noise = torch.randn(3, *photo.shape[-2:], generator=torch.Generator().manual_seed(seed)).to(photo)
    return (0.5 + 0.25 * noise).clamp(0, 1)


def transfer(
    network: Vgg19,
    photo: Tensor,
    style: Style,
    start: Tensor,
    labour: Labour,
    regions: Tensor | None = None,
    watch: Watch = lambda share: None,
) -> Tensor:
    """Optimise `start` (3HW, as large as the photo) for a photo's content and a style; return 3HW in [0, 1].

    The same arguments give the same picture, unless time runs out. Where a loss is no number, that size ends early with
    what was good so far.
    """
    sizes = [size for size in level_sizes(*photo.shape[-2:])[:-1] if max(size) >= COARSEST]
    sizes.append((photo.shape[-2], photo.shape[-1]))
    clock = Clock(labour.seconds, [h * w * (1 if number == 0 else 0.5) for number, (h, w) in enumerate(sizes)])
    picture = resize(start, sizes[0])
    with torch.inference_mode(False), torch.enable_grad():
        for number, size in enumerate(sizes):
            picture = resize(picture.clone(), size).clamp(0, 1)
            if min(size) < SMALLEST or (number and clock.is_over):
                continue
            sources = [_fresh(source) for source in style.at(size) if min(source.picture.shape[-2:]) >= SMALLEST]
            if not sources:
                continue
            place = None if regions is None else resize(regions.clone(), size)
            goal = resize(photo.clone(), size)
            objective = Objective(network, goal, sources, place, STYLE_LOSSES[labour.loss], labour.weights)
            steps = labour.steps if number == 0 else max(1, labour.steps // 2)
            picture = _descend(objective, picture, labour.optimiser, clock.count(steps, number, watch))
    return picture.detach().clamp(0, 1)


class Clock:
    """Shares seconds out over sizes, by what each costs."""

    def __init__(self, seconds: float | None, costs: list[float]) -> None:
        self.seconds, self.start = seconds, time.monotonic()
        self.shares = [sum(costs[: number + 1]) / sum(costs) for number in range(len(costs))]

    @property
    def is_over(self) -> bool:
        """True when all the time is used up."""
        return self.seconds is not None and time.monotonic() - self.start > self.seconds

    def count(self, steps: int, number: int, watch: Watch) -> Iterator[int]:
        """Count steps of size `number`, one at least, until there are enough or its share of the time is used up."""
        before = self.shares[number - 1] if number else 0.0
        for step in range(steps):
            yield step
            watch(before + (self.shares[number] - before) * (step + 1) / steps)
            if self.seconds is not None and time.monotonic() - self.start > self.seconds * self.shares[number]:
                return


def _descend(objective: Objective, start: Tensor, optimiser: str, steps: Iterator[int]) -> Tensor:
    picture = start.detach().clone().requires_grad_()
    good, average, weight = start.detach(), torch.zeros_like(start), 0.0
    engine = _optimiser(optimiser, picture)

    def closure() -> float:
        engine.zero_grad()
        loss = objective(picture)
        loss.backward()
        return float(loss.detach())

    for _ in steps:
        loss = float(engine.step(closure))
        with torch.no_grad():
            if not math.isfinite(loss) or not bool(torch.isfinite(picture).all()):
                _log.warning("nst: the loss is no number any more: this size ends with what was good so far.")
                return good
            picture.clamp_(0, 1)
            average = MEMORY * average + (1 - MEMORY) * picture
            weight = MEMORY * weight + 1 - MEMORY
            good = picture.detach().clone() if optimiser == "lbfgs" else average / weight
    return good


def _optimiser(name: str, picture: Tensor) -> torch.optim.Optimizer:
    if name == "lbfgs":
        return torch.optim.LBFGS([picture], lr=1.0, max_iter=1, history_size=10)
    return torch.optim.Adam([picture], lr=RATE, betas=(0.9, 0.99))


def _fresh(source: Source) -> Source:
    """Return a copy that gradients may flow past: what was made in inference mode refuses them."""
    regions = None if source.regions is None else source.regions.clone()
    return Source(source.picture.clone().expand(3, -1, -1), source.share, regions)
