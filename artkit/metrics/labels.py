"""Scores of label maps, and of pictures that are to be such."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics.pairs import Pictures, as_images, as_label_maps, mean_over_pairs

TOLERANCE = 8.0
"""Levels of 255 that a colour may be off."""


def pixel_accuracy(a: Pictures, b: Pictures) -> float:
    """Return the share of pixels whose classes agree, 0 to 1: the mean over the pairs of label maps."""
    return mean_over_pairs(_agreement, as_label_maps(a), as_label_maps(b))


def class_shares(maps: Pictures, classes: int) -> Tensor:
    """Return the share of pixels that each of `classes` classes covers over all maps: float64, (classes,), sum 1.

    Raises DataError for an index outside 0 to `classes` - 1.
    """
    counts = torch.zeros(classes, dtype=torch.int64)
    for labels in as_label_maps(maps):
        _check_indices(labels, classes)
        counts += torch.bincount(labels.flatten().cpu(), minlength=classes)
    return counts.double() / counts.sum()


def class_distance(a: Pictures, b: Pictures) -> float:
    """Return how far two sets of label maps are apart in how much each class covers: 0 is as much, 1 nothing in common.

    That is half of the sum over the classes of the differences of their shares (`class_shares`), the total variation.
    """
    count = 1 + max(int(labels.max()) for labels in (*as_label_maps(a), *as_label_maps(b)))
    return (class_shares(a, count) - class_shares(b, count)).abs().sum().item() / 2


def border_gap(a: Pictures, b: Pictures) -> float:
    """Return by what share the borders of the label maps `a` are longer or shorter than those of `b`: 0 is as long.

    The length is the share of pairs of neighbours, across and down, whose classes differ, over all maps of a set.
    Infinite where `a` alone has any.
    """
    length, due = _border_share(as_label_maps(a)), _border_share(as_label_maps(b))
    return abs(length - due) / due if due else math.inf if length else 0.0


def off_palette(a: Pictures, b: Pictures) -> float:
    """Return the share of pixels of the images `a`, 0 to 1, whose colour is none of those in `b`, painted label maps.

    None is what is farther than 8 levels of 255 (Euclidean, in RGB) from each.
    """
    from scipy.spatial import KDTree  # half a second's import

    colours = torch.cat([_levels(image).unique(dim=0) for image in as_images(b)])
    apart, _ = KDTree(colours.numpy()).query(torch.cat([_levels(image) for image in as_images(a)]).numpy())
    return float((apart > TOLERANCE).mean())


def _levels(image: Tensor) -> Tensor:
    """Return the colours of the pixels of an image 3HW, N 3 float32 on 0..255, rounded to 8 bits."""
    return (image.float().cpu().flatten(1).T * 255).round()


def _border_share(maps: list[Tensor]) -> float:
    differ = [one != other for labels in maps for one, other in _neighbours(labels)]
    pairs = sum(one.numel() for one in differ)
    return sum(int(one.sum()) for one in differ) / max(1, pairs)


def _neighbours(labels: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    return (labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])


def _agreement(a: Tensor, b: Tensor) -> float:
    return (a == b).double().mean().item()


def _check_indices(labels: Tensor, classes: int) -> None:
    for index in (int(labels.min()), int(labels.max())):
        if not 0 <= index < classes:
            raise DataError(f"A label map holds class {index}, and there are {classes} classes: 0 to {classes - 1}.")
