"""Between kinds: what a picture may become by itself, and the error that names the step for what it may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from artkit.errors import ImageError
from artkit.images.labels import match_palette
from artkit.images.picture import Picture
from artkit.spec import ClassSet, Kind

_LUMA = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


def convert(picture: Picture, kind: Kind, classes: ClassSet | None = None, known: Sequence[ClassSet] = ()) -> Picture:
    """Return `picture` as `kind`.

    Labels and masks become images by painting. An image becomes labels only when every pixel is exactly a colour of
    `classes` (when None: of one of `known`), or when it is grey and its levels are indices of `classes`. Labels of
    another class set are painted and read again. An image becomes a mask by its BT.709 luma.
    Raises ImageError saying which share of the pixels matched, the nearest class set among `classes` and `known`, and
    the step that turns any picture into labels.
    """
    if kind is picture.kind and (kind is not Kind.LABELS or classes in (None, picture.classes)):
        return picture
    if kind is Kind.IMAGE:
        return picture.painted()
    if kind is Kind.LABELS and picture.kind is Kind.LABELS and picture.classes is None:
        return replace(picture, classes=classes)
    if kind is Kind.LABELS and picture.kind is not Kind.MASK:
        return _read_labels(picture.painted(), classes, known)
    if kind is Kind.MASK and picture.kind is Kind.IMAGE:
        weights = torch.tensor(_LUMA, device=picture.tensor.device)
        luma = torch.einsum("nchw,c->nhw", picture.tensor, weights).unsqueeze(1)
        return replace(picture, tensor=luma.clamp(0, 1), kind=Kind.MASK)
    raise ImageError(f"A picture of kind '{picture.kind}' cannot serve as '{kind}'.")


def _read_labels(picture: Picture, classes: ClassSet | None, known: Sequence[ClassSet]) -> Picture:
    candidates = [classes] if classes else list(known)
    nearest_set, share = None, -1.0
    for candidate in candidates:
        labels, matched = match_palette(picture.tensor, candidate)
        if matched == 1:
            return _as_labels(picture, labels, candidate)
        if matched > share:
            nearest_set, share = candidate, matched
    indices = _grey_indices(picture.tensor)
    if classes and indices is not None and int(indices.max()) < len(classes):
        return _as_labels(picture, indices, classes)
    for candidate in known:
        matched = match_palette(picture.tensor, candidate)[1]
        if matched > share:
            nearest_set, share = candidate, matched
    raise ImageError(_mismatch(picture, classes, nearest_set, share))


def _as_labels(picture: Picture, labels: Tensor, classes: ClassSet) -> Picture:
    return replace(picture, tensor=labels, kind=Kind.LABELS, classes=classes)


def _grey_indices(image: Tensor) -> Tensor | None:
    """Return the 8-bit levels (1, H, W) of an image that is grey everywhere, else None."""
    first, *others = image.unbind(1)
    levels = first.mul(255).round_()
    return levels.long() if all(torch.equal(other.mul(255).round_(), levels) for other in others) else None


def _mismatch(picture: Picture, wanted: ClassSet | None, nearest_set: ClassSet | None, share: float) -> str:
    if nearest_set is None:
        return f"'{picture.stem}' cannot be read as labels: no class set is known. Put semgan first in the chain."
    percent = min(round(100 * share, 1), 99.9)
    meant = f"the class set '{nearest_set.name}'"
    if wanted and nearest_set is not wanted:
        meant += f" (the nearest; '{wanted.name}' is wanted)"
    return (
        f"'{picture.stem}' is not a label map: {percent:g} % of its pixels have exactly a colour of {meant}. "
        "Put semgan first in the chain: it turns any picture into a label map."
    )
