"""What a picture's header says, read without decoding a pixel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from artkit.data.labels import INDEXED, count_out_of_range, to_classes
from artkit.errors import ImageError
from artkit.files import open_regular
from artkit.images.decoding import opened
from artkit.spec import ClassSet

_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap the sides
_ORIENTATION = 274


@dataclass(frozen=True)
class Header:
    """Sides in pixels, upright, and Pillow's mode."""

    width: int
    height: int
    mode: str


def read_header(path: Path) -> Header | None:
    """Read a picture's header; None when there is no readable one."""
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            return Header(*upright_size(image), image.mode)
    except (ImageError, OSError):
        return None


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of an opened picture as it is to be seen."""
    width, height = image.size
    turned = image.format != "PNG" and image.getexif().get(_ORIENTATION) in _TURNED
    return (height, width) if turned else (width, height)


MAX_BITS = 16  # of 256 that may differ: saving again at another quality or size changes a few
MAX_LEVELS = 4.0  # mean difference of the thumbnails
MIN_BITS = 8  # set: a flat picture has none, and is like any other flat one
ROWS = 2048


def find_near_duplicates(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Yield (i, j) for each of `first` that is nearly one of `second`; thumbnails are grey, uint8 H (W + 1).

    The hash is one bit a pair of neighbours, whether the right one is lighter (Krawetz, "Kind of Like That", 2013); all
    distances are one matrix product. Hashes that agree are checked by the thumbnails themselves.
    """
    if not first or not second:
        return
    ours, theirs = np.stack(first), np.stack(second)
    bits = _hash(theirs).T
    for start in range(0, len(ours), ROWS):
        part = ours[start : start + ROWS]
        hashed = _hash(part)
        likeness = hashed @ bits
        for row in np.flatnonzero(likeness.max(1) >= bits.shape[0] - 2 * MAX_BITS):
            column = int(likeness[row].argmax())
            alike = np.abs(part[row].astype(int) - theirs[column]).mean() <= MAX_LEVELS
            if alike and (hashed[row] > 0).sum() >= MIN_BITS:
                yield start + int(row), column


def _hash(thumbnails: np.ndarray) -> np.ndarray:
    """Return the bits of each thumbnail as -1 or 1, float32 (N, H * W)."""
    lighter = thumbnails[:, :, 1:] > thumbnails[:, :, :-1]
    return np.where(lighter, 1, -1).astype(np.float32).reshape(len(thumbnails), -1)


THUMBNAIL = (17, 16)  # width, height: 16 x 16 differences between neighbours
_DRAFT = (64, 64)  # JPEG decodes straight to an eighth
_FAMILIES = {"1": "grey", "L": "grey", "CMYK": "CMYK", "LA": "transparent", "RGBA": "transparent"}


@dataclass(frozen=True)
class Facts:
    """What a file is: `size` (width, height), `family` of its pixels ("grey", "colour", "transparent", "16 bit",
    "CMYK"), `thumbnail` in grey, uint8 16 x 17. Of a label map: `out_of_range`, pixels by index that no class has, and
    `off_palette`, the share of pixels of no class's colour. Of a file that cannot be read: `error` alone.
    """

    path: Path
    size: tuple[int, int] = (0, 0)
    family: str = ""
    thumbnail: np.ndarray | None = None
    out_of_range: Mapping[int, int] = field(default_factory=dict)
    off_palette: float = 0.0
    error: str = ""


def inspect_picture(path: Path) -> Facts:
    """Decode a picture as coarsely as its format allows; all of the file is read."""
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            size, family = upright_size(image), _family(image)
            image.draft("L", _DRAFT)
            thumbnail = to_grey(image).resize(THUMBNAIL, Image.Resampling.BOX)
            return Facts(path, size, family, np.asarray(thumbnail))
    except (ImageError, OSError) as error:
        return Facts(path, error=_message(path, error))


def inspect_labels(path: Path, classes: ClassSet) -> Facts:
    """Decode a label map and look for pixels without a class."""
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            size, family = upright_size(image), _family(image)
            out_of_range = count_out_of_range(to_classes(np.asarray(image)), classes) if image.mode in INDEXED else {}
            if image.mode in INDEXED and not out_of_range:
                return Facts(path, size, family)
            off = _off_palette(image, classes)
            if image.mode in INDEXED:
                return Facts(path, size, family, out_of_range=out_of_range if off else {})
            return Facts(path, size, family, off_palette=off)
    except (ImageError, OSError) as error:
        return Facts(path, error=_message(path, error))


def _family(image: Image.Image) -> str:
    raw_modes = [str(tile[3]) for tile in getattr(image, "tile", ())]  # what the file holds, before Pillow's 8 bits
    if image.mode in ("I", "F") or any("16" in mode for mode in [image.mode, *raw_modes]):
        return "16 bit"
    return "transparent" if image.has_transparency_data else _FAMILIES.get(image.mode, "colour")


def to_grey(image: Image.Image) -> Image.Image:
    """Return a picture of any mode in 8 bits of grey, on white where it is transparent; 16 bits by their brightest."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        levels = np.asarray(image, dtype=np.float32)
        return Image.fromarray((levels * (255 / max(float(levels.max()), 1e-6))).astype(np.uint8))
    if image.has_transparency_data:
        flat = Image.new("RGBA", image.size, "white")
        flat.alpha_composite(image.convert("RGBA"))
        return flat.convert("L")
    return image.convert("L")


def _off_palette(image: Image.Image, classes: ClassSet) -> float:
    """Return the share of pixels whose colour is no class's."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.uint32)
    codes = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    known = np.array([red << 16 | green << 8 | blue for red, green, blue in classes.colours], np.uint32)
    return 1 - float(np.isin(codes, known).mean())


def _message(path: Path, error: Exception) -> str:
    return str(error) if isinstance(error, ImageError) else f"cannot read {path}: {error}."
