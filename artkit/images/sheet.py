"""Sheets: pictures in rows with captions, to compare steps or to look over many results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from artkit.images.picture import Picture
from artkit.images.reading import picture_from_array
from artkit.spec import Kind

Row = Sequence[tuple[Picture, str]]

_PAPER = (250, 249, 246)
_INK = (40, 40, 40)


def make_strip(rows: Sequence[Row], *, cell: int = 768) -> Picture:
    """Lay rows of (picture, caption) out side by side on light paper; many rows make a sheet.

    Every cell has the size of the largest picture, at most `cell` pixels a side; pictures are fitted into it, labels
    by nearest neighbour. Captions too long for their cell are cut. Raises ValueError when there is no picture.
    """
    pictures = [picture for row in rows for picture, _ in row]
    if not pictures:
        raise ValueError("a strip needs at least one picture")
    width = min(cell, max(picture.width for picture in pictures))
    height = min(cell, max(picture.height for picture in pictures))
    gap = max(4, width // 48)
    font = ImageFont.load_default(size=max(11, min(width, height) // 22))
    band = _caption_height(rows, font)
    columns = max(len(row) for row in rows)
    size = (columns * (width + gap) + gap, len(rows) * (height + band + gap) + gap)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for down, row in enumerate(rows):
        for across, (picture, caption) in enumerate(row):
            left, top = gap + across * (width + gap), gap + down * (height + band + gap)
            fitted = _fitted(picture, width, height)
            place = (left + (width - fitted.width) // 2, top + (height - fitted.height) // 2)
            sheet.paste(fitted, place, mask=fitted.getchannel("A"))
            draw.text((left, top + height + gap // 2), _cut(caption, width, font), _INK, font)
    return picture_from_array(np.array(sheet), stem="strip")


def fold_rows(rows: Sequence[Row]) -> list[Row]:
    """Put rows beside each other where there are so many that their strip would be far higher than wide."""
    if not rows:
        return []
    pictures = [picture for row in rows for picture, _ in row]
    height = len(rows) * max(picture.height for picture in pictures)
    width = max(len(row) for row in rows) * max(picture.width for picture in pictures)
    beside = max(1, math.isqrt(height // width))
    return [[cell for row in rows[start : start + beside] for cell in row] for start in range(0, len(rows), beside)]


def make_grid(pictures: Sequence[Picture], *, columns: int | None = None, cell: int = 768) -> Picture:
    """Lay pictures out in a grid without captions, as square as can be unless `columns` is given."""
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    cells = [(picture, "") for picture in pictures]
    return make_strip([cells[start : start + columns] for start in range(0, len(cells), columns)], cell=cell)


def _fitted(picture: Picture, width: int, height: int) -> Image.Image:
    """Return the picture painted, RGBA, scaled to fit into width × height."""
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    image = picture.to_pil().convert("RGBA")
    method = Image.Resampling.NEAREST if picture.kind is Kind.LABELS else Image.Resampling.LANCZOS
    return image if image.size == size else image.resize(size, method)


def _caption_height(rows: Sequence[Row], font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    if not any(caption for row in rows for _, caption in row):
        return 0
    return math.ceil(font.getbbox("Ágjy")[3] * 1.4)


def _cut(caption: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Shorten a caption to `width` pixels, ending in an ellipsis where something was left out."""
    if font.getlength(caption) <= width:
        return caption
    length = next((n for n in range(len(caption), 0, -1) if font.getlength(caption[:n] + "…") <= width), 0)
    return caption[:length] + "…"
