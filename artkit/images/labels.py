"""Label maps and palettes as tensors: one-hot, painting, matching colours, resampling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artkit.errors import ImageError
from artkit.spec import ClassSet


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
    return _palette(classes, labels.device).div(255)[labels.long()].movedim(-1, 1).contiguous()


def match_palette(image: Tensor, classes: ClassSet) -> tuple[Tensor, float]:
    """Read an image N3HW in [0, 1] as labels NHW by colour, and the share of pixels that are exactly class colours.

    Colours are compared as 8-bit levels, rounded. A pixel of another colour gets the nearest class.
    """
    labels, exact = match_exactly(image, classes)
    share = exact.double().mean().item()
    return (labels if share == 1 else torch.where(exact, labels, nearest_palette(image, classes))), share


def match_exactly(image: Tensor, classes: ClassSet) -> tuple[Tensor, Tensor]:
    """Return labels NHW that hold where the colours of N3HW are exactly class colours, and where they are, NHW."""
    codes = _colour_codes(image.mul(255).round().long(), dim=1)
    known, order = _colour_codes(_palette(classes, image.device).long(), dim=1).sort()
    place = torch.searchsorted(known, codes).clamp_(max=len(known) - 1)
    return order[place], known[place] == codes


def nearest_palette(image: Tensor, classes: ClassSet) -> Tensor:
    """Give every pixel of an image N3HW the class of the nearest colour (Euclidean RGB; ties: the lower index)."""
    levels = image.float() * 255
    labels = torch.zeros(image.shape[0], *image.shape[2:], dtype=torch.long, device=image.device)
    least = torch.full_like(levels[:, 0], torch.inf)
    # Class by class, so that memory does not grow with their number.
    for index, colour in enumerate(_palette(classes, image.device)):
        distance = (levels - colour[:, None, None]).square().sum(1)
        closer = distance < least
        labels[closer] = index
        least = torch.where(closer, distance, least)
    return labels


def resize_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize labels ...HW to `size` (H, W) by nearest neighbour, pixel centres aligned; no class is ever invented."""
    rows, columns = (
        ((torch.arange(new, device=labels.device) + 0.5) * (old / new)).long().clamp_(max=old - 1)
        for new, old in zip(size, labels.shape[-2:], strict=True)
    )
    return labels[..., rows[:, None], columns]


def resize_image(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize an image or mask NCHW to `size` (H, W) by antialiased bicubic interpolation, clamped to [0, 1]."""
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    resized = F.interpolate(image, size=size, mode="bicubic", align_corners=False, antialias=True)
    return resized.clamp_(0, 1)


def _palette(classes: ClassSet, device: torch.device) -> Tensor:
    """Return the class colours as float (K, 3), 0 to 255."""
    return torch.tensor(classes.colours, dtype=torch.float32, device=device)


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
