"""What a picture's header says, read without decoding a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from artkit.errors import ImageError
from artkit.images.decoding import opened

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
        with path.open("rb") as stream, opened(stream, str(path)) as image:
            return Header(*upright_size(image), image.mode)
    except (ImageError, OSError):
        return None


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of an opened picture as it is to be seen."""
    width, height = image.size
    turned = image.format != "PNG" and image.getexif().get(_ORIENTATION) in _TURNED
    return (height, width) if turned else (width, height)
