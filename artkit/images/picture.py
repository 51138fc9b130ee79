"""`Picture`: what travels along a chain, with what belongs to it (alpha, class set, bit depth, name, making)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from artkit.errors import ImageError
from artkit.images.classes import ClassSet
from artkit.images.labels import check_range, paint_labels, resize_image
from artkit.spec import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

_CHANNELS = {Kind.IMAGE: 3, Kind.MASK: 1}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, immutable.

    `tensor`: float32 (1, 3, H, W) in [0, 1] for an image (sRGB-encoded), (1, 1, H, W) for a mask, int64 (1, H, W) for
    labels. `classes`: what the indices of labels mean. `alpha`: float32 (1, 1, H, W), straight (not premultiplied),
    kept aside while steps work on the colours. `bits`: 8 or 16, the depth it is written with where the format can.
    `stem`: the file name it came from, without suffix. `provenance`: the record of its making.
    Raises ImageError when the tensor's shape, type or class indices do not fit.
    """

    tensor: Tensor
    kind: Kind = Kind.IMAGE
    classes: ClassSet | None = None
    alpha: Tensor | None = None
    bits: int = 8
    stem: str = "picture"
    provenance: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check the tensor against the kind."""
        channels = _CHANNELS.get(self.kind)
        shape = tuple(self.tensor.shape)
        if self.kind is Kind.TEXT:
            raise ImageError("A picture is an image, labels or a mask; text travels as a plain string.")
        if channels is None:
            fits, wanted = len(shape) == 3 and self.tensor.dtype == torch.int64, "int64 (1, H, W)"
        else:
            fits = len(shape) == 4 and shape[1] == channels and self.tensor.dtype == torch.float32
            wanted = f"float32 (1, {channels}, H, W)"
        if not fits or shape[0] != 1 or 0 in shape:
            dtype = str(self.tensor.dtype).removeprefix("torch.")
            raise ImageError(f"A picture of kind '{self.kind}' needs a tensor {wanted}, not {dtype} {shape}.")
        if self.classes is not None:
            check_range(self.tensor, len(self.classes), f"the '{self.classes.name}'")
        if self.alpha is not None and self.alpha.shape != (1, 1, *self.size):
            raise ImageError(f"The alpha channel {tuple(self.alpha.shape)} does not fit a picture of {self.size}.")

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.tensor.shape[-2]

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.tensor.shape[-1]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height, self.width

    def with_tensor(
        self,
        tensor: Tensor,
        *,
        kind: Kind | None = None,
        classes: ClassSet | None = None,
        alpha: Tensor | None = None,
    ) -> Picture:
        """Return the picture with a step's result in place of its tensor.

        Stem, bit depth and alpha stay; where no new `alpha` is given, it is resized when the size changed. Provenance
        goes: it told of the old pixels. `kind` defaults to the present one; `classes` belongs to labels and defaults to
        the present set.
        """
        kind = kind or self.kind
        classes = (classes or self.classes) if kind is Kind.LABELS else None
        if alpha is None and self.alpha is not None:
            alpha = resize_image(self.alpha, (tensor.shape[-2], tensor.shape[-1]))
        return replace(self, tensor=tensor, kind=kind, classes=classes, alpha=alpha, provenance=None)

    def numpy(self) -> np.ndarray:
        """Return uint8 levels, rounded: (H, W, 3) for an image, (H, W) for a mask; labels are their indices (H, W).

        Indices above 255 come as uint16. Alpha is left out: it is in `alpha`.
        """
        return self.levels(8)

    def levels(self, bits: int) -> np.ndarray:
        """Return the pixels as integers of `bits` (8: uint8, 16: uint16), rounded, as `numpy` shapes them."""
        if self.kind is Kind.LABELS:
            return self.tensor[0].numpy(force=True).astype(np.uint8 if int(self.tensor.max()) < 256 else np.uint16)
        levels = _quantise(self.tensor, bits)[0].numpy(force=True)
        return levels[0] if self.kind is Kind.MASK else np.ascontiguousarray(levels.transpose(1, 2, 0))

    def alpha_levels(self, bits: int) -> np.ndarray | None:
        """Return the alpha channel (H, W) as integers of `bits`, or None."""
        return None if self.alpha is None else _quantise(self.alpha, bits)[0, 0].numpy(force=True)

    def painted(self) -> Picture:
        """Return the picture as an image: labels in their class colours, a mask in grey.

        Raises ImageError for labels whose classes are not known.
        """
        if self.kind is Kind.IMAGE:
            return self
        if self.kind is Kind.MASK:
            return replace(self, tensor=self.tensor.expand(1, 3, *self.size), kind=Kind.IMAGE)
        if self.classes is None:
            raise ImageError("This label map has no class set, so its colours are not known. Give classes=.")
        return replace(self, tensor=paint_labels(self.tensor, self.classes), kind=Kind.IMAGE, classes=None)

    def to_pil(self) -> Image:
        """Return a Pillow image: RGB, or RGBA with alpha; labels as palette image (P), or L without class set; mask L.

        Labels of more than 256 classes come painted, RGB.
        """
        from PIL import Image

        if self.kind is Kind.LABELS and self.classes is not None and len(self.classes) > 256:
            return self.painted().to_pil()
        image = Image.fromarray(self.numpy())
        if self.kind is Kind.LABELS and self.classes is not None:
            image.putpalette([level for colour in self.classes.colours for level in colour])
        alpha = self.alpha_levels(8) if self.kind is Kind.IMAGE else None
        if alpha is not None:
            image.putalpha(Image.fromarray(alpha))
        return image

    def save(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the picture, in the format of the suffix, with its provenance; see `write_picture`."""
        from artkit.images.writing import write_picture

        return write_picture(self, Path(path), overwrite=overwrite)

    def _repr_png_(self) -> bytes:
        """Show the picture in a notebook."""
        from artkit.images.writing import encode_picture

        return encode_picture(self, ".png")

    def __repr__(self) -> str:
        """Name what matters, not the pixels."""
        extras = [f"classes={self.classes.name}"] if self.classes else []
        extras += ["alpha"] if self.alpha is not None else []
        extras += ["16 bit"] if self.bits == 16 else []
        return f"<Picture {self.stem!r} {self.kind} {self.width}×{self.height}{''.join(f' {word}' for word in extras)}>"


def _quantise(tensor: Tensor, bits: int) -> Tensor:
    levels = tensor.detach().float().clamp(0, 1).mul(2**bits - 1).round()
    return levels.to(torch.uint8 if bits == 8 else torch.uint16)
