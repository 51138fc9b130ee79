"""Region maps: each region painted in a colour of its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import ImageError

MOST = 12  # regions; a map of more colours has those that cover most, and the rest go to the nearest of them
APART = 0.12  # colours nearer than this, in RGB, are one: JPEG and soft brushes smear them
LEAST = 0.002  # share of the map that makes a colour a region

_log = logging.getLogger("artkit.nst")


def photo_regions(map: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the colours (R, 3) of a map (3HW), first seen first from the top left, and its regions (RHW) at `size`.

    Regions add up to 1 at every pixel. A map of another size is fitted to it.
    """
    colours = find_colours(map)
    regions = assign(map, colours)
    first_seen = [int(region.flatten().argmax()) for region in regions]
    order = sorted(range(len(colours)), key=first_seen.__getitem__)
    return colours[order], fit(regions[order], size)


def style_regions(maps: Sequence[Tensor | None], sizes: Sequence[tuple[int, int]], colours: Tensor) -> list[Tensor]:
    """Return the regions (RHW, as large as the styles) of all styles, for a photo whose regions have these colours.

    Every style with a map is divided by it. Without any map, as many styles as regions serve one region each, in order.
    A region that no style has takes from all of all styles. Raises ImageError for maps that leave open what goes where.
    """
    if all(map is None for map in maps):
        if len(maps) != len(colours):
            raise ImageError(
                f"nst: the map has {len(colours)} regions and there are {len(maps)} styles: give each style a map with "
                "-i style_map=PATH (style2_map, ...), or as many styles as regions."
            )
        whole = torch.eye(len(colours), device=colours.device)
        return [row[:, None, None].expand(-1, *size).contiguous() for row, size in zip(whole, sizes, strict=True)]
    regions = []
    for number, (map, size) in enumerate(zip(maps, sizes, strict=True)):
        if map is None:
            raise ImageError(f"nst: style {number + 1} has no map, but others have: give it one, or none to any.")
        regions.append(fit(assign(map, colours), size))
    for number, colour in enumerate(colours):
        if all(float(region[number].max()) < 0.5 for region in regions):
            _log.warning("nst: no style has the region %s of the map: it takes from all of them.", _hex(colour))
            for region in regions:
                region[number] = 1
    return regions


def find_colours(map: Tensor) -> Tensor:
    """Return the colours (R, 3) that cover a map (3HW), those that cover most first."""
    levels = (map * 31).round().long()
    codes = (levels[0] * 32 + levels[1]) * 32 + levels[2]
    values, counts = codes.unique(return_counts=True)
    enough = max(1, int(LEAST * codes.numel()))
    chosen: list[Tensor] = []
    for place in counts.argsort(descending=True, stable=True).tolist():
        colour = torch.stack([values[place] // 1024, values[place] // 32 % 32, values[place] % 32]) / 31
        if chosen and (int(counts[place]) < enough or len(chosen) == MOST):
            break
        if all(float((colour - other).norm()) > APART for other in chosen):
            chosen.append(colour)
    return torch.stack(chosen).to(map)


def assign(map: Tensor, colours: Tensor) -> Tensor:
    """Return regions (RHW, 0 or 1): every pixel of a map (3HW) belongs to the nearest colour."""
    distances = torch.stack([(map - colour[:, None, None]).square().sum(0) for colour in colours])
    return F.one_hot(distances.argmin(0), len(colours)).movedim(-1, 0).to(map)


def fit(regions: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize RHW; what each pixel covers is shared out, so that borders are as soft as the pixels are large."""
    return F.interpolate(regions[None], size, mode="bilinear", antialias=True)[0]


def _hex(colour: Tensor) -> str:
    return "#" + "".join(f"{round(float(level) * 255):02x}" for level in colour)
