"""Pictures in memory, and encoding and writing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from artkit.errors import ImageError, OutputError, nearest
from artkit.files import to_path, write_atomically
from artkit.images.formats import FORMAT_OF, WRITABLE_SUFFIXES
from artkit.images.labels import check_range, paint_labels, resize_image
from artkit.images.png16 import encode_png16
from artkit.images.provenance import add_provenance
from artkit.spec import ClassSet, Kind

_CHANNELS = {Kind.IMAGE: 3, Kind.MASK: 1}
_LABELS = (torch.int64, torch.uint8)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, immutable.

    `tensor`: float32 (1, 3, H, W) in [0, 1] for an image (sRGB-encoded), (1, 1, H, W) for a mask, uint8 or int64
    (1, H, W) for labels: bytes where they were read from a file that has a byte a pixel, so that large maps fit into
    memory; `.long()` them before you index with them. `classes`: what the indices of labels mean. `alpha`: float32
    (1, 1, H, W), straight (not premultiplied), kept aside while steps work on the colours. `bits`: 8 or 16, the depth
    it is written with where the format can. `stem`: the file name it came from, without suffix. `provenance`: the
    record of its making.
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
            fits, wanted = len(shape) == 3 and self.tensor.dtype in _LABELS, "int64 or uint8 (1, H, W)"
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

    def to_pil(self) -> Image.Image:
        """Return a Pillow image: RGB, or RGBA with alpha; labels as palette image (P), or L without class set; mask L.

        Labels of more than 256 classes come painted, RGB.
        """
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
        return write_picture(self, to_path(path, "path"), overwrite=overwrite)

    def _repr_png_(self) -> bytes:
        """Show the picture in a notebook."""
        return encode_picture(self, ".png")

    def __repr__(self) -> str:
        """Name what matters, not the pixels."""
        extras = [f"classes={self.classes.name}"] if self.classes else []
        extras += ["alpha"] if self.alpha is not None else []
        extras += ["16 bit"] if self.bits == 16 else []
        return f"<Picture {self.stem!r} {self.kind} {self.width}×{self.height}{''.join(f' {word}' for word in extras)}>"


def _quantise(tensor: Tensor, bits: int) -> Tensor:
    """Return N C H W as rounded levels, a channel at a time: as floats, a large picture is large."""
    own = tensor[:, :1] if tensor.stride(1) == 0 else tensor  # equal channels may be one in memory
    levels = torch.empty(own.shape, dtype=torch.uint8 if bits == 8 else torch.uint16, device=tensor.device)
    for channel in range(own.shape[1]):
        values = own[:, channel].detach().float().clamp(0, 1)
        levels[:, channel] = values.mul_(2**bits - 1).round_()
    return levels.expand(tensor.shape)


def write_picture(
    picture: Picture, path: Path | str, *, overwrite: bool = False, provenance: dict[str, Any] | None = None
) -> Path:
    """Write `picture` to `path` in the format of its suffix, and return the path.

    Alpha is recombined (JPEG: laid on white); 16-bit pictures keep 16 bits in PNG and TIFF; labels become palette
    pictures in their class colours. A PNG carries `provenance`, by default the picture's own. The file appears
    complete or not at all. Raises OutputError: unknown suffix, existing file without `overwrite`, not writable, disk
    full, more pixels than the format takes, or labels to be written as JPEG, which would change their colours.
    """
    path = Path(path)
    check_suffix(path)
    write_atomically(path, encode_picture(picture, path.suffix, provenance), overwrite=overwrite)
    return path


def check_suffix(path: Path) -> None:
    """Raise OutputError when `path` ends in no suffix that artkit writes."""
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        what = f"'{path.suffix}' files" if path.suffix else f"'{path.name}' without a suffix"
        raise OutputError(f"Cannot write {what}.{nearest(path.suffix.lower(), WRITABLE_SUFFIXES)}")


def encode_picture(picture: Picture, suffix: str, provenance: dict[str, Any] | None = None) -> bytes:
    """Return the bytes of `picture` as a file of that suffix (`.png`, `.jpg`, ...), as `write_picture` writes it."""
    written = FORMAT_OF[suffix.lower()]
    if picture.kind is Kind.LABELS and not written.keeps_labels:
        raise OutputError("JPEG would change the colours of a label map. Write it as .png, .webp or .tif.")
    try:
        data = _ENCODERS[written.name](picture)
    except (OSError, ValueError) as error:
        height, width = picture.size
        raise OutputError(f"Cannot write {width}×{height} pixels as {suffix} ({error}).") from None
    record = picture.provenance if provenance is None else provenance
    return add_provenance(data, record) if record and written.name == "png" else data


def _encode_png(picture: Picture) -> bytes:
    if _is_deep(picture):
        return encode_png16(_deep_pixels(picture))
    # Level 4 gives the size of the default, 6, in two thirds of the time.
    return _encoded(picture.to_pil(), "PNG", compress_level=4)


def _encode_jpeg(picture: Picture) -> bytes:
    return _encoded(on_white(picture.to_pil()), "JPEG", quality=95, subsampling=0)


def on_white(image: Image.Image) -> Image.Image:
    """Lay a picture with alpha on white paper, for formats without."""
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _encode_webp(picture: Picture) -> bytes:
    if picture.kind is Kind.LABELS:
        return _encoded(picture.to_pil().convert("RGB"), "WEBP", lossless=True)
    return _encoded(picture.to_pil(), "WEBP", quality=95, exact=True)


def _encode_tiff(picture: Picture) -> bytes:
    if not _is_deep(picture):
        return _encoded(picture.to_pil(), "TIFF", compression="tiff_adobe_deflate")
    import tifffile

    pixels = _deep_pixels(picture)
    stream = BytesIO()
    tifffile.imwrite(
        stream,
        pixels,
        photometric="minisblack" if pixels.ndim == 2 else "rgb",
        extrasamples=["unassalpha"] if pixels.ndim == 3 and pixels.shape[2] == 4 else None,
        compression="zlib",
        metadata=None,
    )
    return stream.getvalue()


_ENCODERS: dict[str, Callable[[Picture], bytes]] = {
    "png": _encode_png,
    "jpeg": _encode_jpeg,
    "webp": _encode_webp,
    "tiff": _encode_tiff,
}


def _is_deep(picture: Picture) -> bool:
    return picture.bits == 16 and picture.kind is not Kind.LABELS


def _deep_pixels(picture: Picture) -> np.ndarray:
    """Return uint16 levels: (H, W, 3), (H, W, 4) with alpha, (H, W) for a mask."""
    alpha = picture.alpha_levels(16) if picture.kind is Kind.IMAGE else None
    levels = picture.levels(16)
    return levels if alpha is None else np.concatenate([levels, alpha[:, :, None]], axis=2)


def _encoded(image: Image.Image, format_name: str, **settings: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, format_name, **settings)
    return stream.getvalue()
