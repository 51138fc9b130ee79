"""Writing a picture: PNG, JPEG, WebP or TIFF by suffix, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from artkit.errors import OutputError, nearest
from artkit.images import WRITABLE_SUFFIXES
from artkit.images.atomic import write_atomically
from artkit.images.picture import Picture
from artkit.images.png16 import encode_png16
from artkit.images.provenance import add_provenance
from artkit.spec import Kind


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
    if picture.kind is Kind.LABELS and suffix.lower() in (".jpg", ".jpeg"):
        raise OutputError("JPEG would change the colours of a label map. Write it as .png, .webp or .tif.")
    try:
        data = _ENCODERS[suffix.lower()](picture)
    except (OSError, ValueError) as error:
        height, width = picture.size
        raise OutputError(f"Cannot write {width}×{height} pixels as {suffix} ({error}).") from None
    record = picture.provenance if provenance is None else provenance
    return add_provenance(data, record) if record and suffix.lower() == ".png" else data


def _encode_png(picture: Picture) -> bytes:
    if _is_deep(picture):
        return encode_png16(_deep_pixels(picture))
    # Level 4 gives the size of the default, 6, in two thirds of the time.
    return _encoded(picture.to_pil(), "PNG", compress_level=4)


def _encode_jpeg(picture: Picture) -> bytes:
    image = picture.to_pil()
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    return _encoded(image, "JPEG", quality=95, subsampling=0)


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
    ".png": _encode_png,
    ".jpg": _encode_jpeg,
    ".jpeg": _encode_jpeg,
    ".webp": _encode_webp,
    ".tif": _encode_tiff,
    ".tiff": _encode_tiff,
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
