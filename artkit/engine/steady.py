"""Steady clips: what is known of the motion goes into the steps, and what comes out is blended along it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from artkit.engine.step import place
from artkit.engine.work import StepResult
from artkit.images import Picture
from artkit.motion import HISTORY, Motion, Tracker, blend, first_frame


class Steadier:
    """Steadies the frames of a clip, given in order, by `amount` in (0, 1]; see `artkit.motion.blend`.

    What it makes of frame `start` and those after it, counted from 0, is what it makes of them in a run from frame 0:
    it is to be given the pictures from `watched` on, and what the chain made of those from `computed` on.
    """

    def __init__(self, amount: float, start: int = 0) -> None:
        self.amount = amount
        self.computed = max(0, start - HISTORY)
        self.watched = first_frame(self.computed)
        self._tracker = Tracker(self.watched)
        self._made: deque[Tensor] = deque(maxlen=HISTORY)

    def follow(self, picture: Picture, device: torch.device | None = None) -> Motion:
        """Return what is known of the next frame, on a device."""
        placed = place(picture, device) if device else picture
        return self._tracker.follow(placed.painted().tensor[0])

    def blend(self, results: Sequence[StepResult], motion: Motion) -> list[StepResult]:
        """Return the results of the next frame with the last picture blended with those before it, and its record."""
        *others, last = results
        tensor = last.picture.tensor
        blended = blend([*self._made, tensor], motion, self.amount)
        self._made.append(tensor)
        record = {**(last.picture.provenance or {}), "steady": self.amount}
        return [*others, replace(last, picture=replace(last.picture, tensor=blended, provenance=record))]
