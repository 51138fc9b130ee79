"""Filters that bring two pictures, or a picture and its classes, together."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import ClassSet, Context, ModelHeader, OptionError, Translator, UsageError, nearest
from artkit.images import nearest_palette, read_classes_file
from artkit.models.store import list_models
from artkit.plugins import current_registry
from artkit_filters import SPECS
from artkit_filters.options import BlendOptions, OverlayOptions, QuantiseOptions


class Blend(Translator):
    """A mixture of two pictures."""

    spec = SPECS["blend"]
    options: BlendOptions

    def translate(self, context: Context, *, image: Tensor, other: Tensor, mask: Tensor | None) -> Tensor:
        """Mix N3HW with N3HW."""
        return other + (image - other) * (self.options.strength * (1 if mask is None else mask))


class Overlay(Translator):
    """A label map's colours over a picture, thin inside the regions and solid on the lines between them."""

    spec = SPECS["overlay"]
    options: OverlayOptions

    def translate(self, context: Context, *, image: Tensor, labels: Tensor | None, original: Tensor | None) -> Tensor:
        """Lay a painted map N3HW over a picture N3HW."""
        over, under = (image, original) if labels is None else (labels, image)
        if under is None:
            raise UsageError(
                "overlay has nothing to lay the map over: start the chain from a picture, or add -i original=PATH."
            )
        weight = torch.maximum(over.new_tensor(self.options.strength), self._lines(over))
        return under + (over - under) * weight

    def _lines(self, over: Tensor) -> Tensor:
        """Return N1HW: 1 where a pixel is near one of another colour, 0 elsewhere."""
        lines = over.new_zeros(len(over), 1, *over.shape[-2:])
        if self.options.lines == 0:
            return lines
        lines[..., :-1, :] += (over[..., 1:, :] != over[..., :-1, :]).any(1, keepdim=True)
        lines[..., :-1] += (over[..., 1:] != over[..., :-1]).any(1, keepdim=True)
        margin = self.options.lines - 1
        grown = F.pad(lines, (margin // 2, margin - margin // 2) * 2)
        return F.max_pool2d(grown, self.options.lines, stride=1).clamp(max=1)


class Quantise(Translator):
    """The label map whose colours are nearest (Euclidean RGB), of a class set that some model knows, or a file's."""

    spec = SPECS["quantise"]
    options: QuantiseOptions

    def __init__(self, options: QuantiseOptions, header: ModelHeader | None) -> None:
        super().__init__(options, header)
        self.set = find_class_set(options.classes)

    @property
    def class_set(self) -> ClassSet:
        """The chosen classes."""
        return self.set

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Map N3HW to labels N H W."""
        return nearest_palette(image, self.set)


def find_class_set(text: str) -> ClassSet:
    """Return the class set that `text` names: a file, a set that a model here uses, or that model's name.

    Raises DataError for a file that is no class file, OptionError when nothing is called so.
    """
    path = Path(text)
    if path.suffix or path.is_file():
        return read_classes_file(path)
    known: dict[str, ClassSet] = {}
    for model in list_models(current_registry()):
        if model.header and model.header.classes:
            known[model.header.classes.name] = model.header.classes
            known.setdefault(model.name, model.header.classes)
    if text not in known:
        raise OptionError(
            f"quantise(classes={text!r}): no model here has such classes.{nearest(text, known)} "
            "A file of classes goes in quotes: quantise(classes='data/classes.txt')."
        )
    return known[text]
