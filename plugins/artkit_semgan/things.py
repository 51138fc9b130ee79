"""Things: how the parts of countable classes look in the data, after which those of a dream are redrawn.

A generator of 64 x 64 cells says where a house stands and how large it is, not how a house is shaped. In the field's
words (Adelson 2001) sky and grass are stuff, which has no shape; a sun, a house or a tree is a thing, which has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from msgspec import Meta
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import Arguments

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]

SIDE = 48
"""Side of the square that shapes are recorded in, whatever their own sides, in pixels."""
SHAPES = 250
"""Shapes of a class that are recorded, at most."""
SPECK = 2e-4
"""Parts that cover less of a map are none: slivers between other things."""
COUNTED = 0.95
"""Share of the maps of the data whose number of parts a dream may have."""
ASPECT, SIZE = 0.25, 0.25
"""What a shape loses of its likeness for being stretched e times, and for being shown e times as large."""
COMMON, ALIKE = 0.4, 0.85
"""What it gains when all shapes are like it, and the intersection over union from which two are alike."""
LIKENESS = 0.5
"""Parts that no shape is so like are left as they are."""


class Part(NamedTuple):
    """A connected part of a class: its mask within a box of the map, and which borders of the map the box touches.

    `extent` is the box's height and width where the map's area is 1.
    """

    mask: Mask
    box: tuple[slice, slice]
    extent: tuple[float, float]
    edges: int

    @property
    def square(self) -> Tensor:
        """The mask, stretched to SIDE x SIDE."""
        return _resize(torch.from_numpy(self.mask).float(), (SIDE, SIDE))

    @property
    def share(self) -> float:
        """Which share of the map it covers."""
        return float(self.mask.mean()) * self.extent[0] * self.extent[1]

    def stand(self, taller: float, fuller: float, size: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the box, within a map of `size`, of what covers as much, on the same ground, in another shape.

        It is e ** `taller` times as tall for its width, and fills e ** `fuller` times as much of its box.
        """
        (rows, columns), width = self.box, size[1]
        tall, wide = (
            max(1, min(limit, round(side * math.exp((power - fuller) / 2))))
            for limit, side, power in zip(size, self.mask.shape, (taller, -taller), strict=True)
        )
        bottom = max(rows.stop, tall)
        left = max(0, min(width - wide, (columns.start + columns.stop - wide) // 2))
        return slice(bottom - tall, bottom), slice(left, left + wide)


class ThingsArguments(Arguments, frozen=True, kw_only=True):
    """The arguments of Things."""

    shapes: Annotated[int, Meta(ge=1, le=65536)]

    def build(self, classes: int) -> Things:
        """Make it, for so many classes."""
        return Things(classes, self.shapes)


class Things(nn.Module):
    """The shapes of things in the data, class by class, and how many parts of a class maps have; nothing is learned.

    A dream's parts of such a class are redrawn: each becomes the recorded shape that is most like it, covering as much
    on the same ground, at the map's own resolution; parts more than maps have, the smallest, give way to what else is
    likely there. A part that touches a border of the map becomes one that was cut off there, within the same box.
    """

    masks: Tensor
    extents: Tensor
    edges: Tensor
    kinds: Tensor
    most: Tensor

    def __init__(self, classes: int, shapes: int) -> None:
        super().__init__()
        self.register_buffer("masks", torch.zeros(shapes, SIDE * SIDE // 8, dtype=torch.uint8))
        self.register_buffer("extents", torch.ones(shapes, 2))
        self.register_buffer("edges", torch.zeros(shapes, dtype=torch.uint8))
        self.register_buffer("kinds", torch.zeros(shapes, dtype=torch.int16))
        self.register_buffer("most", torch.zeros(classes, dtype=torch.uint8))

    def redraw(self, logits: Tensor) -> Tensor:
        """Return the likeliest class of logits N K H W, whose parts of things are redrawn: N H W."""
        labels = [self._redraw(one.cpu()) for one in logits.float()]
        return torch.stack(labels).to(logits.device)

    def _redraw(self, logits: Tensor) -> Tensor:
        labels = logits.argmax(0).numpy()
        for kind in torch.nonzero(self.most).flatten().tolist():
            if parts := sorted(find_parts(labels == kind), key=lambda part: -int(part.mask.sum())):
                self._redraw_parts(parts, kind, labels, _without(logits, kind))
        return torch.from_numpy(labels)

    def _redraw_parts(self, parts: list[Part], kind: int, labels: Labels, others: Labels) -> None:
        known = _Known.of(self, kind)
        for number, part in enumerate(parts):
            surplus = number >= int(self.most[kind]) or part.share < SPECK
            shape = None if surplus else known.closest(part, labels.shape)
            if surplus or shape is not None:
                labels[part.box][part.mask] = others[part.box][part.mask]
            if shape is not None:
                labels[shape.box][shape.mask] = kind


class _Known(NamedTuple):
    """The shapes of one class."""

    masks: Tensor
    extents: Tensor
    edges: Tensor
    common: Tensor

    @classmethod
    def of(cls, things: Things, kind: int) -> _Known:
        mine = torch.nonzero(things.kinds.cpu() == kind).flatten()[:SHAPES]
        bits = np.unpackbits(things.masks.cpu()[mine].numpy(), axis=1).reshape(-1, SIDE, SIDE)
        masks = torch.from_numpy(bits).float()
        return cls(masks, things.extents.cpu().float()[mine], things.edges.cpu()[mine], _commonness(masks.flatten(1)))

    def closest(self, part: Part, size: tuple[int, ...]) -> Part | None:
        """Return the part redrawn in a map of `size`: in the shape most like it, or None where none is like it."""
        square, scale = part.square, (self.extents.clamp_min(1e-4) / torch.tensor(part.extent)).log()
        likeness = torch.minimum(self.masks, square).sum((1, 2)) / torch.maximum(self.masks, square).sum((1, 2))
        likeness += COMMON * self.common
        likeness -= ASPECT * (scale[:, 0] - scale[:, 1]).abs() + SIZE * scale.mean(1).abs()
        likeness[self.edges != part.edges] = -torch.inf
        if not len(likeness) or float(likeness.max()) < LIKENESS:
            return None
        best = likeness.argmax()
        taller, fuller = scale[best, 0] - scale[best, 1], (self.masks[best].mean() / square.mean()).log()
        box = part.box if part.edges else part.stand(float(taller), float(fuller), size)
        rows, columns = (range(length)[side] for side, length in zip(box, size, strict=True))
        mask = _resize(self.masks[best], (len(rows), len(columns))) > 0.5
        return part._replace(mask=mask.numpy(), box=box)


def _commonness(masks: Tensor) -> Tensor:
    """Return which share of the shapes, each a row, each is like: what hides a sun is each time another cloud."""
    joint, areas = masks @ masks.T, masks.sum(1)
    return (joint / (areas[:, None] + areas - joint).clamp_min(1) > ALIKE).float().mean(1)


def find_parts(mask: Mask) -> Iterator[Part]:
    """Yield the connected parts of a mask H W."""
    numbers, _ = ndimage.label(mask)
    (height, width), side = mask.shape, math.sqrt(mask.size)
    for index, (rows, columns) in enumerate(ndimage.find_objects(numbers), start=1):
        touched = (rows.start == 0, rows.stop == height, columns.start == 0, columns.stop == width)
        extent = (rows.stop - rows.start) / side, (columns.stop - columns.start) / side
        edges = sum(1 << bit for bit, touches in enumerate(touched) if touches)
        yield Part(numbers[rows, columns] == index, (rows, columns), extent, edges)


def collect_things(maps: Iterable[Tensor], kinds: Iterable[int], classes: int) -> Things | None:
    """Record the shapes of the classes `kinds` in label maps H W; None where they hold no part of any."""
    wanted = tuple(kinds)
    found: dict[int, list[Part]] = {kind: [] for kind in wanted}
    counts: dict[int, list[int]] = {kind: [] for kind in wanted}
    for labels in maps:
        for kind in wanted:
            mask = (labels == kind).numpy()
            parts = [part for part in find_parts(mask) if part.mask.sum() >= SPECK * mask.size]
            counts[kind].append(len(parts))
            found[kind] += parts[: max(0, SHAPES - len(found[kind]))]
    shapes = [(kind, part) for kind in wanted for part in found[kind]]
    return _record(shapes, counts, classes) if shapes else None


def _record(shapes: list[tuple[int, Part]], counts: dict[int, list[int]], classes: int) -> Things:
    things = Things(classes, len(shapes))
    for row, (kind, part) in enumerate(shapes):
        bits = np.packbits((part.square > 0.5).numpy().reshape(-1))
        things.masks[row] = torch.from_numpy(bits)
        things.extents[row] = torch.tensor(part.extent)
        things.edges[row], things.kinds[row] = part.edges, kind
    for kind, numbers in counts.items():
        things.most[kind] = min(255, int(np.quantile(numbers, COUNTED)))
    return things


def _without(logits: Tensor, kind: int) -> Labels:
    """Return the likeliest other class of logits K H W; the class itself where no other may be."""
    best, labels = torch.where(torch.arange(len(logits))[:, None, None] == kind, -torch.inf, logits).max(0)
    return torch.where(best.isfinite(), labels, kind).numpy()


def _resize(mask: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(mask[None, None], size=size, mode="bilinear", antialias=True)[0, 0]
