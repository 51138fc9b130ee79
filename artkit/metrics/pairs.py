"""Pictures in the forms metrics take them, unrolled one by one and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from torch import Tensor

from artkit.errors import DataError

Pictures = Tensor | Sequence[Tensor]


def as_images(pictures: Pictures) -> list[Tensor]:
    """Return the images in `pictures`, each float 3HW; raise DataError for anything else and for an empty list."""
    images = list(_unrolled(pictures, dimensions=3))
    for image in images:
        if image.shape[0] != 3 or not image.is_floating_point():
            raise DataError(f"This metric compares RGB images (float 3HW in [0, 1]), not {_described(image)}.")
    return _some(images)


def as_label_maps(pictures: Pictures) -> list[Tensor]:
    """Return the label maps in `pictures`, each integer HW; raise DataError for anything else and an empty list."""
    maps = list(_unrolled(pictures, dimensions=2))
    for labels in maps:
        if labels.is_floating_point():
            raise DataError(f"This metric compares label maps (integer HW), not {_described(labels)}.")
    return _some(maps)


def mean_over_pairs(score: Callable[[Tensor, Tensor], float], a: list[Tensor], b: list[Tensor]) -> float:
    """Return the mean of `score` over the pairs (first with first, ...); counts and sizes must agree."""
    if len(a) != len(b):
        raise DataError(f"This metric compares pair by pair: {len(a)} pictures do not pair up with {len(b)}.")
    for index, (one, other) in enumerate(zip(a, b, strict=True)):
        if one.shape != other.shape:
            raise DataError(f"Pair {index} differs in size: {_size(one)} and {_size(other)} pixels.")
    return fmean(score(one, other) for one, other in zip(a, b, strict=True))


def _unrolled(pictures: Pictures, dimensions: int) -> Iterator[Tensor]:
    """Yield tensors of `dimensions` dimensions, taking batches and lists apart."""
    if not isinstance(pictures, Tensor):
        for picture in pictures:
            yield from _unrolled(picture, dimensions)
    elif pictures.ndim == dimensions:
        yield pictures
    elif pictures.ndim == dimensions + 1:
        yield from pictures
    else:
        raise DataError(f"This metric takes pictures of {dimensions} dimensions, not {_described(pictures)}.")


def _some(pictures: list[Tensor]) -> list[Tensor]:
    if not pictures:
        raise DataError("There are no pictures to compare.")
    return pictures


def _described(tensor: Tensor) -> str:
    return f"a {str(tensor.dtype).removeprefix('torch.')} tensor of shape {tuple(tensor.shape)}"


def _size(picture: Tensor) -> str:
    height, width = picture.shape[-2:]
    return f"{width}x{height}"
