"""Colour profiles: pictures tagged with another colour space are brought to sRGB when they are read."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

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
