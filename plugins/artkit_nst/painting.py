"""The engine `patch`: a photo painted with patches of a style, coarse to fine, without any weights.

Texture optimisation (Kwatra et al. 2005) with the content weights of Elad and Milanfar 2017 and the complete nearest
neighbours of Granot et al. 2022. Differs from all three in its colours (the photo is carried over to the style's first,
and the result once more), in the noise that fills what is flat at the start, and in the contrast that is given back to
each band of detail at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from artkit_nst.blending import blend
from artkit_nst.colour import moments, transport
from artkit_nst.effort import Effort, Manner
from artkit_nst.grid import random_grid
from artkit_nst.matching import match
from artkit_nst.saliency import saliency
from artkit_nst.scales import blur, level_sizes, resize
from artkit_nst.style import Style, band_contrasts, bands

SOFTNESS = 3.0  # sigma of the borders between the colours of regions, in pixels
GIVEN_BACK = 0.5  # share of the contrast that blending took away, or added, which is put right at the end

Watch = Callable[[float], None]
"""Called after every pass with the share of the work that is done."""


@dataclass(frozen=True)
class Painter:
    """A style, and how to lay it on."""

    style: Style
    manner: Manner
    effort: Effort

    def paint(self, photo: Tensor, seed: int, regions: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        """Paint a photo (CHW in [0, 1], as many channels as the style) and return CHW in [0, 1].

        `regions` (RHW, adding up to 1) is for styles that have regions. The same arguments give the same picture. What
        is too small for any patch only changes its colours.
        """
        generator = torch.Generator().manual_seed(seed)
        goal = recolour(photo, self.style, regions)
        sizes = level_sizes(*photo.shape[-2:])
        work = Work([size for size in sizes for _ in self.passes(size)], watch)
        picture = self.start(resize(goal, sizes[0]), generator)
        for number, size in enumerate(sizes):
            place = None if regions is None else resize(regions, size)
            fineness = number / (len(sizes) - 1) if len(sizes) > 1 else 1.0
            picture = self.paint_level(resize(picture, size), resize(goal, size), place, fineness, generator, work)
        return self.finish(picture, regions)

    def start(self, goal: Tensor, generator: torch.Generator) -> Tensor:
        """Put noise where the photo (CHW, in the style's colours) is flat: there the style shall find its own forms."""
        noise = torch.randn(goal.shape[-2:], generator=generator).to(goal)
        return goal + self.manner.noise * self.style.spread * (1 - saliency(goal)) * noise

    def passes(self, size: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
        """Yield (side, stride, turn) of every pass at a size: patches fit twice into the photo and into the style."""
        room = min(*size, self.style.room(size))
        for side, stride in self.effort.patches:
            if 2 * side <= room:
                yield from ((side, stride, turn) for turn in range(self.effort.passes))

    def paint_level(
        self,
        picture: Tensor,
        goal: Tensor,
        regions: Tensor | None,
        fineness: float,
        generator: torch.Generator,
        work: Work,
    ) -> Tensor:
        """Lay patches on a picture at one size; `fineness` is 0 at the coarsest, 1 at the finest."""
        manner, weight, size = self.manner, saliency(goal), (goal.shape[-2], goal.shape[-1])
        hold = manner.hold[0] + fineness * (manner.hold[1] - manner.hold[0])
        passes = list(self.passes(size))
        for number, (side, stride, turn) in enumerate(passes):
            is_last = fineness == 1 and number + 1 == len(passes)
            keys = self.style.keys(size, side, self.effort.keys, turn)
            grid = random_grid(*size, side, self.effort.last_stride if is_last else stride, generator)
            wanted = picture + hold * weight * (goal - picture)
            index = match(wanted, regions, grid, keys, manner.completeness, generator)
            picture = blend(keys, index, grid, reweight=self.effort.reweight)
            if not is_last:
                picture = picture + manner.fuse * (1 - fineness / 2) * weight * (goal - picture)
            work.done(size)
        return picture

    def finish(self, picture: Tensor, regions: Tensor | None) -> Tensor:
        """Give the picture the style's colours, and half of the contrast of its detail, and keep it in [0, 1]."""
        picture = recolour(picture, self.style, regions)
        wanted, found = self.style.contrasts((picture.shape[-2], picture.shape[-1])), band_contrasts(picture)
        for band, goal, present in zip(bands(picture), wanted, found, strict=True):
            gain = min(max(goal / max(present, 1e-4), 0.8), 1.6) - 1
            picture = picture + GIVEN_BACK * gain * band
        return picture.clamp(0, 1)


class Work:
    """Counts passes by the pixels they cover, and tells who watches."""

    def __init__(self, sizes: list[tuple[int, int]], watch: Watch | None) -> None:
        self.watch, self.behind = watch, 0
        self.total = sum(height * width for height, width in sizes)

    def done(self, size: tuple[int, int]) -> None:
        """Count a pass over (height, width)."""
        self.behind += size[0] * size[1]
        if self.watch:
            self.watch(self.behind / self.total)


def recolour(picture: Tensor, style: Style, regions: Tensor | None = None) -> Tensor:
    """Carry CHW over to the colours of a style; region by region, with soft borders, where there are some."""
    if regions is None:
        return transport(picture, moments(picture), style.moments)
    soft = blur(regions, SOFTNESS)
    carried = torch.zeros_like(picture)
    for number, (region, share) in enumerate(zip(regions, soft / soft.sum(0), strict=True)):
        carried += share * transport(picture, moments(picture, region), style.region_moments(number))
    return carried
