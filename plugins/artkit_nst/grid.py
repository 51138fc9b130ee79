"""The places on a picture that patches are laid on, in bands of rows, so that memory does not grow with the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

BAND = 8192  # patches at once


@dataclass(frozen=True)
class Grid:
    """Patches of `side` pixels, `stride` apart, over `height` x `width`; the first sticks out by `above` and `left`."""

    height: int
    width: int
    side: int
    stride: int
    above: int
    left: int

    @property
    def rows(self) -> int:
        """Rows of patches."""
        return -(-(self.height + self.above) // self.stride)

    @property
    def columns(self) -> int:
        """Columns of patches."""
        return -(-(self.width + self.left) // self.stride)

    def bands(self, patches: int = BAND) -> Iterator[range]:
        """Yield ranges of rows of about `patches` patches each."""
        step = max(1, patches // self.columns)
        for first in range(0, self.rows, step):
            yield range(first, min(first + step, self.rows))

    def covered(self, rows: range) -> tuple[Tensor, Tensor]:
        """Return the pixel rows and columns that some rows of patches cover, held inside the picture."""
        down = torch.arange(rows.start * self.stride, (rows.stop - 1) * self.stride + self.side) - self.above
        across = torch.arange((self.columns - 1) * self.stride + self.side) - self.left
        return down.clamp(0, self.height - 1), across.clamp(0, self.width - 1)

    def strip(self, picture: Tensor, rows: range) -> Tensor:
        """Return the part of CHW that some rows of patches cover, its border going on where they stick out."""
        down, across = (index.to(picture.device) for index in self.covered(rows))
        return picture[:, down[:, None], across]

    def unfold(self, strip: Tensor) -> Tensor:
        """Return the patches (C side side, N) of a strip, row by row."""
        return F.unfold(strip[None], self.side, stride=self.stride)[0]

    def place(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return top and left of patches, which are counted row by row."""
        return index // self.columns * self.stride - self.above, index % self.columns * self.stride - self.left

    def overlapping(self, top: int, bottom: int) -> range:
        """Return the rows of patches that reach into the pixel rows from `top` up to `bottom`."""
        first = max(0, (top + self.above - self.side) // self.stride + 1)
        return range(first, min(self.rows, (bottom - 1 + self.above) // self.stride + 1))


def random_grid(height: int, width: int, side: int, stride: int, generator: torch.Generator) -> Grid:
    """Return a grid at a random offset: grids that never coincide leave no pattern behind."""
    above, left = (side - 1 - int(torch.randint(stride, (), generator=generator)) for _ in "yx")
    return Grid(height, width, side, stride, above, left)
