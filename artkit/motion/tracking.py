"""Following a clip frame by frame: where each pixel was in the frames before, as far as anything looks back.

What is known of a frame depends on it and on the frames since `first_frame`, no more: a run that goes on in the middle
of a clip follows those again, and knows the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.motion.flow import estimate_flow, flow_size
from artkit.motion.visibility import likeness, visible
from artkit.motion.warping import compose, warp

HISTORY = 2
"""How many frames before its own a picture is blended with."""

PERIOD = 24
"""Frames after which strokes are laid anew; each stroke stays for so many, or up to twice as many."""

CUT = 0.25
"""Where less of a frame than this, by weight, was seen in the one before, a new shot begins."""


@dataclass(frozen=True)
class Earlier:
    """A frame before: `back` (2, h, w) leads there, in pixels of the flow's size; `weight` (h, w), [0, 1], says how
    surely the same thing is seen there. `small` and `seen` are that frame, and the part of `weight` that is visibility.
    """

    back: Tensor
    weight: Tensor
    small: Tensor
    seen: Tensor


@dataclass(frozen=True)
class Anchor:
    """A frame that strokes were laid on: its `picture` (3, H, W), and `back` (2, h, w), which leads there.

    `number` is no other anchor's in this process, so that what was laid on it can be kept.
    """

    picture: Tensor
    back: Tensor
    number: int = field(default_factory=count().__next__)


@dataclass(frozen=True)
class Motion:
    """What is known of a frame: those before it, the nearest first, and the anchors of its strokes, the newest first.

    `share` of the strokes, in (0, 1], are those laid on the newest anchor.
    """

    earlier: tuple[Earlier, ...]
    anchors: tuple[Anchor, ...]
    share: float


def first_frame(index: int) -> int:
    """Return the first frame, counted from 0, that has to be followed for frame `index` to be known."""
    return max(0, (index // PERIOD - 1) * PERIOD)


class Tracker:
    """Follows the frames of a clip in order, from frame `start` on, which `first_frame` gives. Keeps a few of them."""

    def __init__(self, start: int = 0) -> None:
        self._index = start
        self._small: Tensor | None = None
        self._motion = Motion((), (), 1.0)

    def follow(self, picture: Tensor) -> Motion:
        """Return what is known of the next frame, (3, H, W) in [0, 1]."""
        small = F.interpolate(picture[None], flow_size(*picture.shape[-2:]), mode="area")[0]
        earlier, anchors = self._moved(small)
        if not anchors or self._index % PERIOD == 0:
            anchors = (Anchor(picture, torch.zeros_like(small[:2])), *anchors[:1])
        share = (self._index % PERIOD + 1) / PERIOD if len(anchors) > 1 else 1.0
        self._motion, self._small, self._index = Motion(earlier, anchors, share), small, self._index + 1
        return self._motion

    def _moved(self, small: Tensor) -> tuple[tuple[Earlier, ...], tuple[Anchor, ...]]:
        """Return the frames before and the anchors as the next frame sees them; none where a new shot begins."""
        last = self._small
        if last is None or last.shape != small.shape:
            return (), ()
        back, forth = estimate_flow(small, last), estimate_flow(last, small)
        nearest = _earlier(small, last, back, visible(back, forth))
        if float(nearest.weight.mean()) < CUT:
            return (), ()
        farther = tuple(
            _earlier(small, one.small, compose(back, one.back), nearest.seen * warp(one.seen[None], back)[0])
            for one in self._motion.earlier[: HISTORY - 1]
        )
        anchors = tuple(replace(anchor, back=compose(back, anchor.back)) for anchor in self._motion.anchors)
        return (nearest, *farther), anchors


def _earlier(small: Tensor, other: Tensor, back: Tensor, seen: Tensor) -> Earlier:
    return Earlier(back, seen * likeness(small, warp(other, back)), other, seen)
