"""A picture in the terminal: its graphics protocol where it has one, coloured half blocks elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from artkit.images.picture import Picture


def show(picture: Picture, stream: TextIO | None = None, *, width: int | None = None) -> None:
    """Print `picture` to `stream` (standard output), `width` characters wide, by default as wide as fits.

    A stream that is no terminal gets half blocks in 24-bit colour, so that a pager or a file keeps the picture.
    """
    from rich.console import Console

    stream = stream or sys.stdout
    is_terminal = stream.isatty()
    console = Console(file=stream, force_terminal=True, color_system="auto" if is_terminal else "truecolor")
    console.print(_renderable(is_terminal)(picture.to_pil().convert("RGB"), width=width or "auto", height="auto"))


def _renderable(is_terminal: bool) -> Any:
    """Return the class that draws; importing it asks the terminal what it can do."""
    from textual_image import renderable

    return renderable.Image if is_terminal else renderable.HalfcellImage
