"""Pictures in and out: reading, writing, palettes, label maps, sheets. Names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artkit.images.classes import ClassSet, LabelClass, read_classes_file, write_classes_file
    from artkit.images.conversion import convert
    from artkit.images.labels import (
        match_exactly,
        match_palette,
        nearest_palette,
        one_hot,
        paint_labels,
        resize_image,
        resize_labels,
    )
    from artkit.images.picture import Picture
    from artkit.images.provenance import read_provenance
    from artkit.images.reading import read_picture
    from artkit.images.sheet import fold_rows, make_grid, make_strip
    from artkit.images.terminal import show
    from artkit.images.writing import encode_picture, write_picture

_HOMES = {
    "ClassSet": "classes",
    "LabelClass": "classes",
    "Picture": "picture",
    "convert": "conversion",
    "encode_picture": "writing",
    "fold_rows": "sheet",
    "make_grid": "sheet",
    "make_strip": "sheet",
    "match_exactly": "labels",
    "match_palette": "labels",
    "nearest_palette": "labels",
    "one_hot": "labels",
    "paint_labels": "labels",
    "read_classes_file": "classes",
    "read_picture": "reading",
    "read_provenance": "provenance",
    "resize_image": "labels",
    "resize_labels": "labels",
    "show": "terminal",
    "write_classes_file": "classes",
    "write_picture": "writing",
}

# Known without decoding anything, so that folders can be listed before torch is loaded.
READABLE_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".pgm", ".jp2", ".avif"}
)
WRITABLE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"})

__all__ = [
    "READABLE_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "ClassSet",
    "LabelClass",
    "Picture",
    "convert",
    "encode_picture",
    "fold_rows",
    "make_grid",
    "make_strip",
    "match_exactly",
    "match_palette",
    "nearest_palette",
    "one_hot",
    "paint_labels",
    "read_classes_file",
    "read_picture",
    "read_provenance",
    "resize_image",
    "resize_labels",
    "show",
    "write_classes_file",
    "write_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'artkit.images' has no attribute '{name}'")
    return getattr(importlib.import_module(f"artkit.images.{_HOMES[name]}"), name)
