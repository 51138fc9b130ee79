"""Enlarging what a network painted at a working size, along the borders of what it was painted from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.motion import Ride
from artkit.nn.fields import TensorCache
from artkit.nn.reflection import reflect_index
from artkit.nn.strokes import LAYERS
from artkit.spec import SizeRule

WORKING_SIDE = 512
"""The longest side, in pixels, at which networks paint that lay strokes: about as large as what they learned from."""

Lay: TypeAlias = Callable[[int, int, int, int, "Tensor | None"], Tensor]
"""`lay(height, width, seed, scale, along)`: strokes z (C, H, W), as `artkit.nn.stroke_noise` lays them."""

_KEPT = TensorCache(256 * 2**20)  # bytes: the strokes laid on the anchors of a clip
_SPREAD = (613.0, 1009.0)  # make numbers from [0, 1) of a stroke's value and hue, as good as independent of them
_APART = 10.0  # how unlike two classes are: nothing is mixed of both
_TOP_LAYER = slice(3 * len(LAYERS) - 3, 3 * len(LAYERS))  # the channels of z that tell of the strokes on top
_BAND = 2**18  # pixels at a time: what is computed of them stays small
_REACH = (-1, 0, 1, 2)  # small pixels around a large one's place, along each side
_NEAR = 0.7  # small pixels: the standard deviation of nearness
_FLOOR = 1e-6  # of nearness alone: the weight where nothing alike is near


@dataclass(frozen=True)
class WorkingResolution:
    """How a large picture is painted: `scale` times smaller than it is, with mirrored borders around it.

    So strokes grow with pictures: a network that learned from small ones paints large ones as rich. `rows`, `columns`:
    of which of the picture's own each one with its borders is a copy; their counts are multiples of `scale`. `margin`:
    how many come before the picture's first.
    """

    scale: int
    margin: int
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, picture: Tensor, side: int, rule: SizeRule) -> WorkingResolution:
        """Return that of a picture (..., H, W) whose longest side shall come nearest to `side` pixels.

        The picture is as a translator gets it, with the margin of its size rule. Smaller ones, and all where `side` is
        0, stay as they are; the others are painted at multiples of the rule's, with as many pixels of margin again.
        """
        scale = max(1, round((max(picture.shape[-2:]) - 2 * rule.margin) / side)) if side else 1
        border, whole = (rule.margin * (scale - 1), rule.multiple * scale) if scale > 1 else (0, 1)
        rows, columns = (
            reflect_index(size, -(-(size + 2 * border) // whole) * whole, border).to(picture.device)
            for size in picture.shape[-2:]
        )
        return cls(scale, border, rows, columns)

    def draw(
        self, lay: Lay, seeds: Sequence[int], *, rides: Sequence[Ride | None] = (), along: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the strokes that `lay` lays for each seed at the working size, N C h w, and the same enlarged.

        `rides` are those of a `Context`: in a clip strokes lie where things were on an earlier frame, and have moved
        with them. `along` (N 3 h w, at the working size) are the pictures whose contours they follow.
        """
        small = self._draw(lay, seeds, rides, along, 1)
        return small, small if self.scale == 1 else self._draw(lay, seeds, rides, along, self.scale)

    def _draw(
        self, lay: Lay, seeds: Sequence[int], rides: Sequence[Ride | None], along: Tensor | None, scale: int
    ) -> Tensor:
        size = (len(self.rows) * scale // self.scale, len(self.columns) * scale // self.scale)
        fields = []
        for index, (seed, ride) in enumerate(zip(seeds, rides or [None] * len(seeds), strict=True)):
            make = partial(lay, *size, seed, scale)
            if ride is None:
                fields.append(make(None if along is None else along[index]))
            else:
                fields.append(self._carry(make, ride, (*size, seed, scale), follow=along is not None))
        return torch.stack(fields) if len(fields) > 1 else fields[0][None]

    def _carry(self, make: Callable[[Tensor | None], Tensor], ride: Ride, key: tuple[int, ...], follow: bool) -> Tensor:
        """Return strokes that were laid on the anchors of a ride, where they are now; `follow` its contours or not."""
        fields = []
        for anchor in ride.anchors:
            contours = self.shrink(anchor.picture[None])[0] if follow else None
            drawn = partial(make, contours)
            fields.append(_KEPT.get((anchor.number, *key), drawn) if follow else drawn())
        value, hue, _ = fields[0][_TOP_LAYER].float()
        chance = (_SPREAD[0] * value + _SPREAD[1] * hue).abs().frac()
        return ride.carry(fields, chance, step=self.scale // key[-1], margin=self.margin)

    def spread(self, picture: Tensor) -> Tensor:
        """Return a picture or labels (..., H, W) with the mirrored borders."""
        return picture if self.scale == 1 else picture[..., self.rows[:, None], self.columns]

    def shrink(self, picture: Tensor) -> Tensor:
        """Return N C H W at the working size, cells averaged; of labels, N H W, the pixel in the middle of each."""
        scale, middle = self.scale, self.scale // 2
        if scale == 1:
            return picture
        if not picture.is_floating_point():
            return picture[..., self.rows[middle::scale, None], self.columns[middle::scale]]
        return F.avg_pool2d(self.spread(picture), scale)

    def enlarge(self, painted: Tensor, small: Tensor, guide: Tensor) -> Tensor:
        """Return what was painted at the working size, N C h w, as large as the picture; see `enlarge_guided`.

        `small`, `guide`: what guides it, at the working size and `spread`.
        """
        large = enlarge_guided(painted, small, guide, self.scale)
        height, width = (int(index.max()) + 1 for index in (self.rows, self.columns))
        return large[..., self.margin : self.margin + height, self.margin : self.margin + width]


def painting_guide(painted_from: Tensor, z: Tensor | None) -> Tensor:
    """Return what guides the enlarging of a painting, N G H W: the picture or label map, and the strokes on top.

    `z` is what `artkit.nn.stroke_noise` makes, a batch of it, where there were strokes.
    """
    borders = painted_from if painted_from.is_floating_point() else _APART * painted_from[:, None].float()
    return borders if z is None else torch.cat([borders, z[:, _TOP_LAYER].float()], 1)


def enlarge_guided(picture: Tensor, small: Tensor, guide: Tensor, scale: int, *, alike: float = 0.15) -> Tensor:
    """Return `picture` (N C h w) `scale` times as large, at the size of `guide` (N G H W), which h w may overhang.

    Joint bilateral upsampling (Kopf, Cohen, Lischinski, Uyttendaele, "Joint bilateral upsampling", 2007): each pixel
    is the mean of the 4 x 4 nearest small pixels, the nearer and the more `small` (N G h w) is there like `guide` is
    here, the more. So borders of the guide, strokes among them, are sharp at any size. `alike` is the standard
    deviation of likeness, in the guide's units.
    """
    height, width = guide.shape[-2:]
    columns, across = _places(width, small.shape[-1], scale, guide)
    source = torch.cat([picture, small], 1)
    rows = max(1, _BAND // width)
    bands = []
    for start in range(0, height, rows):
        part = guide[..., start : start + rows, :]
        lines, down = _places(height, small.shape[-2], scale, guide, slice(start, start + rows))
        bands.append(_blend(source, part, (lines, down), (columns, across), alike))
    return torch.cat(bands, -2)


def _places(
    size: int, small: int, scale: int, like: Tensor, part: slice = slice(None)
) -> tuple[list[Tensor], list[Tensor]]:
    """Return for each step of `_REACH` the small places around each place of a side, and their nearness."""
    place = (torch.arange(size, device=like.device)[part] + 0.5) / scale - 0.5
    first = place.floor()
    near = [(-((place - first - step) ** 2) / (2 * _NEAR**2)).to(like.dtype) for step in _REACH]
    return [(first + step).long().clamp(0, small - 1) for step in _REACH], near


def _blend(
    source: Tensor,
    guide: Tensor,
    lines: tuple[list[Tensor], list[Tensor]],
    columns: tuple[list[Tensor], list[Tensor]],
    alike: float,
) -> Tensor:
    """Return one band of `enlarge_guided`; `source` is the picture, and the small guide behind it."""
    count = source.shape[1] - guide.shape[1]
    top, bottom = int(lines[0][0].min()), int(lines[0][-1].max()) + 1
    total = guide.new_zeros(len(guide), count, *guide.shape[-2:])
    weights = guide.new_zeros(len(guide), 1, *guide.shape[-2:])
    for column, across in zip(*columns, strict=True):
        strip = source[..., top:bottom, :].index_select(-1, column)
        for line, down in zip(*lines, strict=True):
            taken = strip.index_select(-2, line - top)
            near = (down.view(-1, 1) + across).exp()
            unlike = (taken[:, count:] - guide).square_().sum(1, keepdim=True)
            weight = unlike.mul_(-1 / (2 * alike**2)).exp_().add_(_FLOOR).mul_(near)
            total.addcmul_(taken[:, :count], weight)
            weights += weight
    return total.div_(weights)
