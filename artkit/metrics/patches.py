"""How far apart two sets of pictures are in texture and colour: the sliced Wasserstein distance of their patches."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics.pairs import Pictures, as_images

DIRECTIONS_AT_ONCE = 32  # bounds memory: 65,536 patches times 32 directions is 8 MB


def patch_distance(
    a: Pictures, b: Pictures, patch: int = 7, projections: int = 128, patches: int = 65536, seed: int = 0
) -> float:
    """Return the sliced Wasserstein-1 distance between random patches of two sets of pictures; 0 is alike.

    After Rabin et al. 2011 and, for images, Karras et al. 2018 ("Progressive Growing of GANs", section 5): patches of
    `patch` x `patch` pixels are projected onto `projections` random unit directions, sorted, and their distances
    averaged. Differs from Karras et al. in taking the pictures at full resolution instead of a Laplacian pyramid, and
    RGB in [0, 1] as it is instead of normalised, so that colour counts: sets that differ by c in every value are
    about 0.8 c apart.

    `patches` positions are drawn in each set, spread evenly over its pictures. Sets may differ in count and in sizes;
    where both are equal the positions are the same, so the distance is symmetric and 0 between equal sets. The same
    `seed` gives the same number. Raises DataError for an empty set and for pictures smaller than a patch.
    """
    first, second = (_draw_patches(as_images(pictures), patch, patches, seed + 1) for pictures in (a, b))
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(first.shape[1], projections, generator=generator)
    directions = (directions / directions.norm(dim=0)).to(first.device)
    distances = [_projected_distance(first, second, some) for some in directions.split(DIRECTIONS_AT_ONCE, dim=1)]
    return float(torch.cat(distances).mean())


def _projected_distance(first: Tensor, second: Tensor, directions: Tensor) -> Tensor:
    """Return the Wasserstein-1 distance along each direction: in one dimension, sorting pairs the values up."""
    ordered = [(patches @ directions).T.contiguous().sort(dim=1).values for patches in (first, second)]
    return (ordered[0] - ordered[1]).abs().double().mean(dim=1)


def _draw_patches(images: list[Tensor], patch: int, count: int, seed: int) -> Tensor:
    """Return `count` random patches, (count, 3 * patch * patch), as evenly from every image as the count allows."""
    generator = torch.Generator().manual_seed(seed)
    each, more = divmod(count, len(images))
    drawn = [_cut(image, patch, each + (index < more), generator) for index, image in enumerate(images)]
    return torch.cat(drawn)


def _cut(image: Tensor, patch: int, count: int, generator: torch.Generator) -> Tensor:
    """Return `count` patches of one image (3HW) at uniform random positions, flattened."""
    height, width = image.shape[-2:]
    if min(height, width) < patch:
        raise DataError(f"patch_distance needs pictures of at least {patch} pixels a side, not {width}x{height}.")
    within = torch.arange(patch)
    rows = torch.randint(height - patch + 1, (count, 1, 1), generator=generator) + within[:, None]
    columns = torch.randint(width - patch + 1, (count, 1, 1), generator=generator) + within
    return image[:, rows, columns].float().movedim(0, 1).flatten(1)
