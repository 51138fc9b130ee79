"""Filters that move pixels: of images N3HW, label maps N H W and masks N1HW alike."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, ImageError, ModelHeader, Translator
from artkit.images import resize_image, resize_labels
from artkit_filters import SPECS
from artkit_filters.fill import Fill
from artkit_filters.options import CropOptions, PadOptions, ResizeOptions, RotateOptions


class Resize(Translator):
    """Antialiased bicubic interpolation; label maps by nearest neighbour."""

    spec = SPECS["resize"]
    options: ResizeOptions

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the wanted lengths; one that is left out keeps the proportions."""
        wanted = self.options
        if wanted.width and wanted.height:
            return wanted.height, wanted.width
        scale = wanted.scale
        if wanted.width or wanted.height:
            scale = wanted.width / width if wanted.width else (wanted.height or height) / height
        elif wanted.longest:
            scale = wanted.longest / max(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def translate(self, context: Context, *, picture: Tensor) -> Tensor:
        """Resize a batch."""
        exact = self.options.filter == "nearest" or not picture.is_floating_point()
        return (resize_labels if exact else resize_image)(picture, self.output_size(context.height, context.width))


class Crop(Translator):
    """A rectangle of the picture."""

    spec = SPECS["crop"]
    options: CropOptions

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of what is kept; ImageError when it is not inside the picture."""
        wanted = self.options
        if wanted.width is None and wanted.height is None and wanted.x is None and wanted.y is None:
            return min(height, width), min(height, width)
        return (
            self._kept("height", wanted.height, "y", wanted.y, height),
            self._kept("width", wanted.width, "x", wanted.x, width),
        )

    def _kept(self, name: str, wanted: int | None, offset: str, start: int | None, side: int) -> int:
        start = start or 0
        if start >= side or (wanted or 1) + start > side:
            asked = ", ".join(f"{n}={v}" for n, v in ((name, wanted), (offset, start)) if v)
            largest = f"{name}={side - start}" if start < side else f"{offset}={side - 1}"
            raise ImageError(
                f"crop({asked}): the picture is only {side} pixels {'high' if name == 'height' else 'wide'}: "
                f"write {largest} or less, or put resize({name}={start + (wanted or 1)}) before it."
            )
        return wanted or side - start

    def translate(self, context: Context, *, picture: Tensor) -> Tensor:
        """Cut a batch."""
        height, width = self.output_size(context.height, context.width)
        top = (context.height - height) // 2 if self.options.y is None else self.options.y
        left = (context.width - width) // 2 if self.options.x is None else self.options.x
        return picture[..., top : top + height, left : left + width]


class Pad(Translator):
    """A border around the picture."""

    spec = SPECS["pad"]
    options: PadOptions

    def __init__(self, options: PadOptions, header: ModelHeader | None) -> None:
        super().__init__(options, header)
        sides = (options.top, options.bottom, options.left, options.right)
        self.top, self.bottom, self.left, self.right = (options.by if side is None else side for side in sides)
        self.fill = Fill("pad", options.fill)

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size with the border."""
        return height + self.top + self.bottom, width + self.left + self.right

    def translate(self, context: Context, *, picture: Tensor) -> Tensor:
        """Pad a batch."""
        size = self.output_size(context.height, context.width)
        if self.fill.repeats:
            rows = self.fill.index(context.height, size[0], self.top)
            columns = self.fill.index(context.width, size[1], self.left)
            return picture[..., rows[:, None], columns]
        padded = self.fill.colour(picture).expand(*picture.shape[:-2], *size).clone()
        padded[..., self.top : self.top + context.height, self.left : self.left + context.width] = picture
        return padded


class Rotate(Translator):
    """A turn about the centre: quarter turns move pixels exactly, others interpolate (bicubic; label maps: nearest)."""

    spec = SPECS["rotate"]
    options: RotateOptions

    def __init__(self, options: RotateOptions, header: ModelHeader | None) -> None:
        super().__init__(options, header)
        self.fill = Fill("rotate", options.fill)
        self.quarters = int(options.angle // 90) if options.angle % 90 == 0 else None

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size that holds the turned picture, or its own."""
        if not self.options.expand:
            return height, width
        if self.quarters is not None:
            return (width, height) if self.quarters % 2 else (height, width)
        cos, sin = (abs(part) for part in self._direction())
        return math.ceil(height * cos + width * sin - 1e-6), math.ceil(height * sin + width * cos - 1e-6)

    def translate(self, context: Context, *, picture: Tensor) -> Tensor:
        """Turn a batch."""
        height, width = self.output_size(context.height, context.width)
        half_turn = self.quarters is not None and self.quarters % 2 == 0
        if self.quarters is not None and (self.options.expand or half_turn or height == width):
            return torch.rot90(picture, self.quarters, (-2, -1))
        x, y = self._sources(context, height, width)
        turned = self._sample(picture, x / (context.width / 2), y / (context.height / 2))
        if self.fill.repeats:
            return turned
        inside = torch.minimum(context.width / 2 - x.abs(), context.height / 2 - y.abs()).add(0.5).clamp(0, 1)
        colour = self.fill.colour(picture)
        if not picture.is_floating_point():
            return torch.where(inside >= 0.5, turned, colour)
        return colour + inside * (turned - colour)

    def _direction(self) -> tuple[float, float]:
        turn = math.radians(self.options.angle)
        return math.cos(turn), math.sin(turn)

    def _sources(self, context: Context, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Return where in the picture each pixel of the output comes from: x and y from its centre, H W each."""
        cos, sin = self._direction()
        down = torch.arange(height, device=context.device)[:, None] + 0.5 - height / 2
        across = torch.arange(width, device=context.device)[None] + 0.5 - width / 2
        return cos * across - sin * down, sin * across + cos * down

    def _sample(self, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Read a batch at places from -1 to 1, past which its own pixels go on."""
        labels = not picture.is_floating_point()
        planes = picture[:, None].double() if labels else picture
        grid = torch.stack((x, y), -1).to(planes.dtype).expand(len(planes), -1, -1, -1)
        beyond = "reflection" if self.fill.fill == "mirror" else "border"
        mode = "nearest" if labels else "bicubic"
        turned = F.grid_sample(planes, grid, mode=mode, padding_mode=beyond, align_corners=False)
        return turned[:, 0].round().long() if labels else turned
