"""File formats: which suffixes artkit reads and writes, and what each format keeps. The one table; torch-free."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """One picture format: its suffixes, whether artkit writes it, and whether exact label colours survive in it."""

    name: str
    suffixes: tuple[str, ...]
    writes: bool = False
    keeps_labels: bool = False


FORMATS = (
    Format("png", (".png",), writes=True, keeps_labels=True),
    Format("jpeg", (".jpg", ".jpeg"), writes=True),
    Format("webp", (".webp",), writes=True, keeps_labels=True),
    Format("tiff", (".tif", ".tiff"), writes=True, keeps_labels=True),
    Format("apng", (".apng",)),
    Format("gif", (".gif",)),
    Format("bmp", (".bmp",)),
    Format("netpbm", (".ppm", ".pgm")),
    Format("jpeg2000", (".jp2",)),
    Format("avif", (".avif",)),
)

FORMAT_OF = {suffix: known for known in FORMATS for suffix in known.suffixes}
READABLE_SUFFIXES = frozenset(FORMAT_OF)
WRITABLE_SUFFIXES = frozenset(suffix for suffix, known in FORMAT_OF.items() if known.writes)
LABEL_SUFFIXES = frozenset(suffix for suffix in WRITABLE_SUFFIXES if FORMAT_OF[suffix].keeps_labels)
"""Formats in which a label map can be written: JPEG would change its colours."""
