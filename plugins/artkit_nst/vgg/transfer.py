"""Gatys et al. 2016: a picture changed step by step until its features fit; here coarse to fine, in a given time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from artkit_nst import NstOptions
from artkit_nst.colour import luma
from artkit_nst.effort import EFFORTS
from artkit_nst.journal import Journal
from artkit_nst.keys import Source
from artkit_nst.painting import Painter
from artkit_nst.scales import level_sizes, resize
from artkit_nst.style import Style
from artkit_nst.vgg.clock import Clock
from artkit_nst.vgg.descent import Descent
from artkit_nst.vgg.losses import STYLE_LOSSES
from artkit_nst.vgg.network import SMALLEST, Vgg19
from artkit_nst.vgg.objective import Objective, Weights

COARSEST = 128  # no level but the last has a shorter long side: features need room

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


def begin(
    name: str, photo: Tensor, painter: Painter, regions: Tensor | None, seed: int, journal: Journal | None = None
) -> Tensor:
    """Return the picture (3HW) that is optimised: a draft of the engine `patch`, the photo, or noise around grey."""
    if name == "patch":
        return replace(painter, effort=EFFORTS["draft"]).paint(photo, seed, regions, journal).expand(3, -1, -1)
    if name == "photo":
        return photo.expand(3, -1, -1)
    noise = torch.randn(3, *photo.shape[-2:], generator=torch.Generator().manual_seed(seed)).to(photo)
    return (0.5 + 0.25 * noise).clamp(0, 1)


def transfer(
    network: Vgg19,
    photo: Tensor,
    style: Style,
    start: Callable[[], Tensor],
    labour: Labour,
    regions: Tensor | None = None,
    journal: Journal | None = None,
) -> Tensor:
    """Optimise what `start` returns (3HW, as large as the photo) for a photo's content and a style.

    The photo (CHW in [0, 1]) and the picture that is returned are in colour, or grey. The same arguments give the same
    picture, from wherever the journal lets it go on, unless time runs out. Where a loss is no number, that size ends
    early with what was good so far.
    """
    journal, sizes = journal or Journal(), find_sizes(photo.shape[-2], photo.shape[-1])
    with torch.inference_mode(False):
        begun = journal.last() or {"level": 0, "step": 0, "seconds": 0.0, "descent": None}
    picture = start() if begun["descent"] is None else begun["descent"]["good"].to(photo)
    steps = [labour.steps if number == 0 else max(1, labour.steps // 2) for number in range(len(sizes))]
    clock = Clock(labour.seconds, sizes, steps, begun["seconds"])
    with torch.inference_mode(False), torch.enable_grad():
        for number, size in list(enumerate(sizes))[begun["level"] :]:
            picture = resize(picture.clone(), size).clamp(0, 1)
            objective = _objective(network, photo, style, regions, size, labour)
            if objective is None:
                continue
            if not clock.affords(number):
                _log.warning("nst: time runs out: what follows is enlarged from %d pixels.", max(sizes[number - 1]))
                break
            kept, begun["descent"] = begun["descent"], None
            descent = Descent(picture, labour.optimiser)
            if kept is not None:
                descent.load(kept)
            counted = clock.count(number, begun["step"] if kept is not None else 0)
            picture = _descend(descent, objective, counted, partial(_enter, journal, photo, clock, number, descent))
    return _shown(picture, photo)


def find_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return (height, width) of every size that a picture is optimised at, coarsest first, its own last."""
    return [size for size in level_sizes(height, width)[:-1] if max(size) >= COARSEST] + [(height, width)]


def _objective(
    network: Vgg19, photo: Tensor, style: Style, regions: Tensor | None, size: tuple[int, int], labour: Labour
) -> Objective | None:
    """Return what to optimise for at a size; None where the photo or all styles are too small for the network."""
    sources = [_fresh(source) for source in style.at(size) if min(source.picture.shape[-2:]) >= SMALLEST]
    if min(size) < SMALLEST or not sources:
        return None
    place = None if regions is None else resize(regions.clone(), size)
    goal = resize(photo.clone(), size).expand(3, -1, -1)
    return Objective(network, goal, sources, place, STYLE_LOSSES[labour.loss], labour.weights)


def _descend(descent: Descent, objective: Objective, steps: Iterator[int], enter: Callable[[int], None]) -> Tensor:
    for step in steps:
        if not descent.step(partial(objective.gradient, turn=step)):
            _log.warning("nst: the loss is no number any more: this size ends with what was good so far.")
            break
        enter(step + 1)
    return descent.good


def _enter(journal: Journal, photo: Tensor, clock: Clock, level: int, descent: Descent, step: int) -> None:
    def state() -> dict[str, Any]:
        return {"level": level, "step": step, "seconds": clock.spent, "descent": descent.state()}

    journal.enter(clock.share, partial(_shown, descent.good, photo), state)


def _shown(picture: Tensor, photo: Tensor) -> Tensor:
    """Return a picture (3HW) as large as the photo (CHW), and grey where that is."""
    large = resize(picture.detach(), (photo.shape[-2], photo.shape[-1])).clamp(0, 1)
    return luma(large) if len(photo) == 1 else large


def _fresh(source: Source) -> Source:
    """Return a copy that gradients may flow past: what was made in inference mode refuses them."""
    regions = None if source.regions is None else source.regions.clone()
    return Source(source.picture.clone().expand(3, -1, -1), source.share, regions)
