"""Label maps and palettes as tensors: one-hot, painting, matching colours, resampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from artkit.errors import ImageError
from artkit.spec import ClassSet

_BAND = 2**20  # pixels at a time


def one_hot(labels: Tensor, k: int) -> Tensor:
    """Turn labels NHW (integers in 0..k-1) into float32 NKHW with a one at each pixel's class.

    Raises ImageError when an index is outside the k classes.
    """
    check_range(labels, k)
    planes = torch.zeros(labels.shape[0], k, *labels.shape[1:], device=labels.device)
    return planes.scatter_(1, labels.long().unsqueeze(1), 1.0)


def paint_labels(labels: Tensor, classes: ClassSet) -> Tensor:
    """Paint labels NHW with the class colours: image N3HW in [0, 1]. Raises ImageError on an index outside the set."""
    check_range(labels, len(classes), f"the '{classes.name}'")
    colours = _palette(classes, labels.device).div(255).T
    image = torch.empty(len(labels), 3, *labels.shape[1:], device=labels.device)
    for rows in _bands(labels.shape):
        image[:, :, rows] = colours[:, labels[:, rows].long()].movedim(0, 1)
    return image


def match_palette(image: Tensor, classes: ClassSet) -> tuple[Tensor, float]:
    """Read an image N3HW in [0, 1] as labels NHW by colour, and the share of pixels that are exactly class colours.

    Colours are compared as 8-bit levels, rounded. A pixel of another colour gets the nearest class.
    """
    labels, exact = match_exactly(image, classes)
    share = int(exact.count_nonzero()) / exact.numel()
    return (labels if share == 1 else torch.where(exact, labels, nearest_palette(image, classes))), share


def match_exactly(image: Tensor, classes: ClassSet) -> tuple[Tensor, Tensor]:
    """Return labels NHW that hold where the colours of N3HW are exactly class colours, and where they are, NHW."""
    known, order = _colour_codes(_palette(classes, image.device), dim=1).sort()
    labels = torch.empty(len(image), *image.shape[2:], dtype=torch.int64, device=image.device)
    exact = torch.empty_like(labels, dtype=torch.bool)
    for rows in _bands(labels.shape):
        codes = _colour_codes(image[:, :, rows].mul(255).round_().int(), dim=1)
        place = torch.searchsorted(known, codes).clamp_(max=len(known) - 1)
        labels[:, rows], exact[:, rows] = order[place], known[place] == codes
    return labels, exact


def nearest_palette(image: Tensor, classes: ClassSet) -> Tensor:
    """Give every pixel of an image N3HW the class of the nearest colour (Euclidean RGB; ties: the lower index)."""
    labels = torch.empty(len(image), *image.shape[2:], dtype=torch.int64, device=image.device)
    palette = _palette(classes, image.device)
    for rows in _bands(labels.shape):
        labels[:, rows] = _nearest(image[:, :, rows].float() * 255, palette)
    return labels


def _nearest(levels: Tensor, palette: Tensor) -> Tensor:
    """Return the index NHW of the colour nearest to N3HW, class by class, so that memory does not grow with them."""
    least = torch.full_like(levels[:, 0], torch.inf)
    labels = torch.zeros_like(least, dtype=torch.int64)
    for index, colour in enumerate(palette):
        distance = (levels - colour[:, None, None]).square().sum(1)
        closer = distance < least
        labels[closer] = index
        least = torch.where(closer, distance, least)
    return labels


def _bands(shape: Sequence[int]) -> Iterator[slice]:
    """Yield slices of the rows of NHW, some million pixels each: what is computed of them takes little memory."""
    rows = max(_BAND // max(shape[0] * shape[2], 1), 1)
    for start in range(0, shape[1], rows):
        yield slice(start, start + rows)


def resize_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize labels ...HW to `size` (H, W) by nearest neighbour, pixel centres aligned; no class is ever invented."""
    rows, columns = (
        ((torch.arange(new, device=labels.device) + 0.5) * (old / new)).long().clamp_(max=old - 1)
        for new, old in zip(size, labels.shape[-2:], strict=True)
    )
    return labels.index_select(-2, rows).index_select(-1, columns)


def resize_image(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize an image or mask NCHW to `size` (H, W) by antialiased bicubic interpolation, clamped to [0, 1]."""
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    resized = F.interpolate(image, size=size, mode="bicubic", align_corners=False, antialias=True)
    return resized.clamp_(0, 1)


def _palette(classes: ClassSet, device: torch.device) -> Tensor:
    """Return the class colours as integers (K, 3), 0 to 255."""
    return torch.tensor(classes.colours, dtype=torch.int32, device=device)


def _colour_codes(levels: Tensor, dim: int) -> Tensor:
    """Pack 8-bit R, G and B along `dim` into one integer."""
    red, green, blue = levels.unbind(dim)
    return red << 16 | green << 8 | blue


def check_range(labels: Tensor, k: int, name: str = "the") -> None:
    """Raise ImageError unless every label is in 0..k-1; `name` is the class set's, for the message."""
    if labels.numel() == 0:
        return
    low, high = (int(value) for value in labels.aminmax())
    if low < 0 or high >= k:
        worst = low if low < 0 else high
        raise ImageError(f"A label map holds class {worst}, but {name} class set has only classes 0 to {k - 1}.")
