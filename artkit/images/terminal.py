"""A picture in the terminal: its graphics protocol where it has one, coloured half blocks elsewhere."""

from __future__ import annotations

import logging
import sys
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TextIO

from artkit.errors import OutputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.text import Text

    from artkit.images.picture import Picture

_MOST_ASPECT = 8


def show(picture: Picture, stream: TextIO | None = None, *, width: int | None = None) -> None:
    """Print `picture` to `stream` (standard output), `width` characters wide, by default as large as fits.

    A stream that is no terminal gets half blocks in 24-bit colour, so that a pager or a file keeps the picture. Raises
    OutputError for a terminal that does not tell its size.
    """
    from rich.console import Console

    stream = stream or sys.stdout
    console = Console(file=stream, color_system="auto" if stream.isatty() else "truecolor")
    try:
        console.print(_renderable(stream)(_drawable(picture), width=width or "auto", height="auto"))
    except (ZeroDivisionError, ValueError) as error:
        raise OutputError(f"The picture cannot be shown in this terminal ({error}).") from error


def half_blocks(picture: Picture, columns: int, rows: int) -> Text:
    """Return a picture as coloured characters that show two pixels each, no more than `columns` by `rows` of them.

    The library that `show` uses would ask the terminal about itself, which nobody may while a bar is drawn on it.
    """
    import numpy as np
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    image = picture.painted().to_pil().convert("RGB")
    image.thumbnail((columns, 2 * rows))
    pixels = np.asarray(image).tolist()
    text = Text(no_wrap=True)
    for above, below in zip_longest(pixels[::2], pixels[1::2], fillvalue=pixels[-1]):
        for upper, lower in zip(above, below, strict=True):
            text.append("▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
        text.append("\n")
    return text


def _renderable(stream: TextIO) -> Any:
    """Return the class that draws. The library asks standard output, and only that, what the terminal can do."""
    logging.getLogger("textual_image").setLevel(logging.ERROR)  # a terminal that answers nothing is no news
    from textual_image import renderable

    return renderable.Image if stream.isatty() and renderable.is_tty else renderable.HalfcellImage


def _drawable(picture: Picture) -> Image:
    """Return the picture in RGB, a very thin one thickened so that it does not round to no characters at all."""
    image = picture.to_pil().convert("RGB")
    width, height = image.size
    thickened = max(width, height // _MOST_ASPECT), max(height, width // _MOST_ASPECT)
    return image if thickened == image.size else image.resize(thickened)
