"""Scores of label maps."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics.pairs import Pictures, as_label_maps, mean_over_pairs


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


def _agreement(a: Tensor, b: Tensor) -> float:
    return (a == b).double().mean().item()


def _check_indices(labels: Tensor, classes: int) -> None:
    for index in (int(labels.min()), int(labels.max())):
        if not 0 <= index < classes:
            raise DataError(f"A label map holds class {index}, and there are {classes} classes: 0 to {classes - 1}.")
