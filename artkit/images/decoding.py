"""Colour profiles: pictures tagged with another colour space are brought to sRGB when they are read."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from artkit.errors import ImageError
from artkit.images.png16 import decode_png16
from artkit.spec import ClassSet

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert an 8-bit image from its ICC profile to sRGB, RGB or RGBA.

    Returns None when there is nothing to do: the profile is sRGB, is damaged, or belongs to another kind of picture.
    """
    mode, transform = _transform(profile)
    is_grey = image.mode in ("1", "L", "LA")
    if transform is None or (mode == "L" and not is_grey) or (mode == "CMYK") != (image.mode == "CMYK"):
        return None
    colours = ImageCms.applyTransform(image.convert(mode), transform)
    if colours is not None and image.has_transparency_data:
        colours.putalpha(image.convert("RGBA").getchannel("A"))
    return colours


@lru_cache(maxsize=8)
def _transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """Return the Pillow mode a profile speaks of, and the way from it to sRGB when there is one to go."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip(), "")
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB") if mode else None
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return "", None
    return mode, None if mode == "RGB" and transform is not None and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell by a cube of colours whether a transform is the identity, whatever the profile calls itself."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    result = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform), dtype=int)
    return bool(np.abs(result - cube).max() <= 2)


FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")
MAX_PIXELS = 2**28
LARGE = 50_000_000  # pixels; above, a file must have bytes for what it unfolds to
MAX_UNFOLDING = 2_000  # pixels a byte: deflate packs 1,032 bytes of one colour into one, label maps included
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"GIF8")
_ORIENTATION, _BITS_PER_SAMPLE, _PLANAR, _EXTRA_SAMPLES = 274, 258, 284, 338  # TIFF and EXIF tags
_pillow_limit = threading.Lock()


class UnsuitablePixelsError(ValueError):
    """A picture that is whole, but holds numbers that are no levels; becomes an ImageError with the file's name."""


def max_pixels() -> int:
    """Return the largest number of pixels read: `ARTKIT_MAX_PIXELS` or 2^28. Raises ImageError for a malformed one."""
    text = os.environ.get("ARTKIT_MAX_PIXELS", "")
    if not text:
        return MAX_PIXELS
    if not text.isdecimal() or int(text) == 0:
        raise ImageError(f"ARTKIT_MAX_PIXELS must be a whole number of pixels, not '{text}'.")
    return int(text)


@dataclass(frozen=True)
class Decoding:
    """How to decode: `managed=False` leaves colours as stored (label maps); `at_least` as in `read_picture`.

    `classes` are those of a label map, which may be read as one at once.
    """

    managed: bool = True
    at_least: int = 0
    classes: ClassSet | None = None


def decode(stream: BinaryIO, name: str, how: Decoding = Decoding()) -> np.ndarray:
    """Decode the first picture in a seekable binary file to levels (H, W, 3 or 4), uint8 or uint16, upright, sRGB.

    `name` is what errors call it. Raises ImageError for anything that cannot be decoded, or has more pixels than
    `max_pixels()`.
    """
    with opened(stream, name) as image:
        if how.at_least:
            _draft(image, how.at_least)
        return pillow_levels(image, stream, managed=how.managed)


@contextmanager
def opened(stream: BinaryIO, name: str) -> Iterator[Image.Image]:
    """Open a picture's header and check its size; decoding inside the block fails with ImageError only."""
    with decoding_errors(name, stream), _open(stream) as image:
        _check_size(image.size, stream, name)
        yield image


def _check_size(size: tuple[int, int], stream: BinaryIO, name: str) -> None:
    """Refuse more pixels than the limit, and, unless it was set by hand, large pictures made of next to nothing."""
    width, height = size
    pixels, limit = width * height, max_pixels()
    if pixels > limit:
        raise ImageError(
            f"{name} is {width}×{height} pixels; the limit is {limit:,} pixels in all. "
            "If you trust it and have the memory, set ARTKIT_MAX_PIXELS higher."
        )
    if pixels <= LARGE or "ARTKIT_MAX_PIXELS" in os.environ:
        return
    length = stream.seek(0, os.SEEK_END)
    if pixels > MAX_UNFOLDING * length:
        raise ImageError(
            f"{name} would unfold from {length:,} bytes to {width}×{height} pixels, which no photo, painting or label "
            f"map does. If you trust it and have the memory, set ARTKIT_MAX_PIXELS={pixels}."
        )


@contextmanager
def decoding_errors(name: str, stream: BinaryIO | None = None) -> Iterator[None]:
    """Turn whatever decoding raises into one ImageError that calls the picture `name`."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name} {_what_it_is(stream)}") from None
    except UnsuitablePixelsError as error:
        raise ImageError(f"{name} cannot be used: {error}.") from None
    except MemoryError:
        raise ImageError(f"{name} does not fit into memory.") from None
    except Exception as error:  # decoders of hostile files raise nearly anything
        reason = str(error).partition("\n")[0].rstrip(". ") or type(error).__name__
        raise ImageError(f"{name} is damaged and cannot be read ({reason}).") from error


def pillow_levels(image: Image.Image, stream: BinaryIO | None = None, *, managed: bool = True) -> np.ndarray:
    """Bring a Pillow image of any mode to levels (H, W, 3 or 4), uint8 or uint16, upright, sRGB.

    `stream` is the file behind it, needed to keep 16 bits in colour, where Pillow decodes 8. A 16-bit picture with a
    profile other than sRGB is converted at 8 bits, which is what Pillow's colour engine takes.
    """
    profile = image.info.get("icc_profile") if managed else None
    deep = _deep_levels(image, stream)
    if deep is not None and not profile:
        return _in_colour(deep)
    shallow = _turned(image) if deep is None else _in_bytes(deep)
    converted = to_srgb(shallow, profile) if profile else None
    if converted is None and deep is not None:
        return _in_colour(deep)
    if converted is None:
        mode = "RGBA" if shallow.has_transparency_data else "RGB"
        converted = shallow if shallow.mode == mode else shallow.convert(mode)
    return np.array(converted)


def _open(stream: BinaryIO) -> Image.Image:
    """Open with our limit in place of Pillow's, which is one setting for the whole process and warns below ours."""
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    stream.seek(0)
    with _pillow_limit:
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = theirs


def _draft(image: Image.Image, at_least: int) -> None:
    """Let a JPEG be decoded at a fraction of its size, its shortest side not below `at_least`."""
    scale = at_least / min(image.size)
    image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))


def _what_it_is(stream: BinaryIO | None) -> str:
    """Say what a file that no decoder knows seems to be: the end of an error message."""
    if stream is None:
        return "is not a picture."
    stream.seek(0)
    head = stream.read(512)
    if not head:
        return "is empty (0 bytes)."
    if head.startswith(_SIGNATURES):
        return "is damaged: its header is incomplete."
    known = "artkit reads PNG, JPEG, WebP, TIFF, GIF, BMP, PPM, JPEG 2000 and AVIF."
    is_text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
    return f"{'holds text, not a picture' if is_text else 'is not a picture of a known format'}; {known}"


def _in_bytes(deep: np.ndarray) -> Image.Image:
    """Return levels of 16 bits as an image of 8, in the mode of their channels."""
    levels = np.round(deep / 257).astype(np.uint8)
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def _deep_levels(image: Image.Image, stream: BinaryIO | None) -> np.ndarray | None:
    """Return uint16 levels (H, W, C), C from 1 to 4, upright, of a picture deeper than 8 bits; None for the others."""
    if stream is not None and image.mode in ("RGB", "RGBA") and image.format in ("PNG", "TIFF"):
        deep = decode_png16(stream) if image.format == "PNG" else _tiff_levels(stream, image)
        return None if deep is None else _upright(deep, image.getexif().get(_ORIENTATION, 1))
    if image.mode == "F":
        return _float_levels(np.asarray(_turned(image)))
    if image.mode.startswith("I"):
        levels = np.asarray(_turned(image))
        if levels.min() < 0 or levels.max() > 65535:
            found = f"its pixels run from {levels.min()} to {levels.max()}"
            raise UnsuitablePixelsError(f"{found}; artkit reads 8 and 16 bits a channel")
        return levels.astype(np.uint16)[:, :, None]
    return None


def _float_levels(values: np.ndarray) -> np.ndarray:
    if not (values.min() >= 0 and values.max() <= 1):
        found = f"its pixels run from {values.min():.4g} to {values.max():.4g}"
        raise UnsuitablePixelsError(f"{found}; floats must lie in [0, 1]")
    return np.round(values * 65535).astype(np.uint16)[:, :, None]


def _tiff_levels(stream: BinaryIO, image: Image.Image) -> np.ndarray | None:
    """Return the first page of a 16-bit RGB(A) TIFF; None for 8 bits, and where Pillow's 8 bits must do."""
    tags: Any = getattr(image, "tag_v2", {})
    associated_alpha = 1 in tags.get(_EXTRA_SAMPLES, ())
    if 16 not in tags.get(_BITS_PER_SAMPLE, ()) or associated_alpha:
        return None
    import tifffile

    stream.seek(0)
    in_planes = tags.get(_PLANAR) == 2
    try:
        with tifffile.TiffFile(stream) as file:
            pixels = file.pages[0].asarray()
    except (KeyError, ValueError) as error:  # some packings, LZW among them, need the imagecodecs package
        if in_planes:  # which Pillow takes for 8 bits
            raise UnsuitablePixelsError(f"{error}; save it uncompressed") from None
        return None
    pixels = np.moveaxis(pixels, 0, -1) if in_planes else pixels
    return pixels[:, :, : len(image.mode)].astype(np.uint16)


def _turned(image: Image.Image) -> Image.Image:
    """Turn an image as its EXIF orientation asks; the same image, which Pillow would copy, if for nothing."""
    image.load()  # which turns a TIFF
    return image if image.getexif().get(_ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn pixels as an EXIF orientation (1 to 8) asks."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    vertical = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    horizontal = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return pixels[vertical, horizontal]


def _in_colour(levels: np.ndarray) -> np.ndarray:
    """Give grey levels (with or without alpha) three colour channels."""
    if levels.shape[2] > 2:
        return levels
    return np.concatenate([levels[:, :, :1]] * 3 + [levels[:, :, 1:]], axis=2)
