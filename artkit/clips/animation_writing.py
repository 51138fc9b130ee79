"""Writing animations from frames in files, one in memory at a time: GIF, APNG and animated WebP.

GIF: GIF89a specification, sections 18 to 26, with the NETSCAPE2.0 extension for loops. APNG: PNG specification, third
edition, section 11.3.6: acTL, fcTL and fdAT chunks. WebP: Pillow's encoder, which keeps packed frames alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from artkit.errors import OutputError
from artkit.files import atomic_file
from artkit.images import read_picture
from artkit.images.provenance import SIGNATURE, add_provenance, png_chunk

CLEAR = 255
"""The palette entry of a GIF's clear pixels."""


def write_animation(
    frames: Sequence[Path],
    seconds: Sequence[Fraction],
    target: Path,
    *,
    plays: int = 0,
    overwrite: bool = False,
    record: dict[str, Any] | None = None,
) -> None:
    """Write pictures of one size to `target` as an animation of its suffix, whole or not at all.

    `seconds` are shown each, to the hundredth in a GIF and the thousandth elsewhere, without drifting away; `plays` is
    how often, 0 for ever. An APNG carries `record`. A GIF has 256 colours a frame, and clear pixels where alpha is
    below a half. Raises OutputError as `atomic_file` does, or for sides past what the format takes.
    """
    write = _WRITERS[target.suffix.lower()]
    with atomic_file(target, overwrite=overwrite) as stream:
        try:
            write(stream, frames, seconds, plays, record)
        except (ValueError, struct.error) as error:
            raise OutputError(f"Cannot write these frames as {target.suffix} ({error}).") from None


def _ticks(seconds: Sequence[Fraction], rate: int) -> list[int]:
    """Return how long frames are shown in whole ticks, whose sums never stray by more than half of one."""
    ends = [round(end * rate) for end in accumulate(seconds)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _open(path: Path) -> Image.Image:
    return read_picture(path).to_pil()


# -- GIF ------------------------------------------------------------------------------------------------------------


def _write_gif(
    stream: BinaryIO, frames: Sequence[Path], seconds: Sequence[Fraction], plays: int, record: dict[str, Any] | None
) -> None:
    clear = any(_has_alpha(path) for path in frames)
    for index, (path, ticks) in enumerate(zip(frames, _ticks(seconds, 100), strict=True)):
        image = _open(path)
        if index == 0:
            stream.write(b"GIF89a" + struct.pack("<HHBBB", *image.size, 0, 0, 0))
            if plays != 1:
                stream.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", max(plays - 1, 0), 0))
        stream.write(_gif_frame(image, min(ticks, 65535), clear))
    stream.write(b";")


def _gif_frame(image: Image.Image, ticks: int, clear: bool) -> bytes:
    """Return a frame with a palette of its own: control, description, palette, pixels.

    Pillow packs the picture as a GIF of one frame, whose one palette becomes the frame's. Frames of a clip with `clear`
    pixels are taken away before the next: else what moved would leave a trail.
    """
    paletted = _few_colours(image, clear)
    packed = BytesIO()
    paletted.save(packed, "GIF", optimize=False)
    data = packed.getvalue()
    bits = data[10] & 7
    start = 13 + 3 * 2 ** (bits + 1)
    place, flags = data[start : start + 9], data[start + 9]
    if place[:1] != b"," or not data[10] & 128:
        raise ValueError("Pillow packed the frame in another way than expected")
    control = struct.pack("<BHBB", 0b1001 if clear else 0b0100, ticks, CLEAR, 0)
    description = place + bytes([flags | 128 | bits])
    return b"!\xf9\x04" + control + description + data[13:start] + data[start + 10 : -1]


def _few_colours(image: Image.Image, clear: bool) -> Image.Image:
    """Return a picture of at most 256 colours, exactly where it has no more; the last for pixels that are `clear`."""
    colours = image.convert("RGB")
    limit = 255 if clear else 256
    exact = colours.getcolors(limit)
    # No dithering: its dots would crawl from frame to frame.
    paletted = _exactly(colours, exact) if exact else colours.quantize(limit, dither=Image.Dither.NONE)
    levels, palette = np.array(paletted), (paletted.getpalette() or []) + [0] * 768
    if clear and image.mode == "RGBA":
        levels[np.asarray(image.getchannel("A")) < 128] = CLEAR
    found = Image.fromarray(levels)
    found.putpalette(palette[:768])
    return found


def _exactly(image: Image.Image, colours: Sequence[tuple[int, Any]]) -> Image.Image:
    pixels = np.asarray(image).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    known = sorted(red << 16 | green << 8 | blue for _, (red, green, blue) in colours)
    found = Image.fromarray(np.searchsorted(np.array(known, np.uint32), packed).astype(np.uint8))
    found.putpalette([level for colour in known for level in (colour >> 16, colour >> 8 & 255, colour & 255)])
    return found


# -- APNG -----------------------------------------------------------------------------------------------------------


def _write_apng(
    stream: BinaryIO, frames: Sequence[Path], seconds: Sequence[Fraction], plays: int, record: dict[str, Any] | None
) -> None:
    mode = "RGBA" if any(_has_alpha(path) for path in frames) else "RGB"
    number = 0
    for index, (path, ticks) in enumerate(zip(frames, _ticks(seconds, 1000), strict=True)):
        image = _open(path).convert(mode)
        chunks = dict(_png_parts(image))
        if index == 0:
            head = SIGNATURE + png_chunk(b"IHDR", chunks[b"IHDR"])
            stream.write(add_provenance(head, record) if record else head)
            stream.write(png_chunk(b"acTL", struct.pack(">II", len(frames), plays)))
        control = struct.pack(">IIIIIHHBB", number, *image.size, 0, 0, min(ticks, 65535), 1000, 0, 0)
        stream.write(png_chunk(b"fcTL", control))
        if index == 0:
            stream.write(png_chunk(b"IDAT", chunks[b"IDAT"]))
        else:
            stream.write(png_chunk(b"fdAT", struct.pack(">I", number + 1) + chunks[b"IDAT"]))
        number += 1 + bool(index)
    stream.write(png_chunk(b"IEND", b""))


def _has_alpha(path: Path) -> bool:
    """Read from a PNG's header whether it has an alpha channel: colour types 4 and 6."""
    with path.open("rb") as stream:
        return stream.read(26)[25] in (4, 6)


def _png_parts(image: Image.Image) -> Iterator[tuple[bytes, bytes]]:
    """Yield the header and the packed pixels of a picture."""
    packed = BytesIO()
    image.save(packed, "PNG", compress_level=4)
    data, place, pixels = packed.getvalue(), len(SIGNATURE), b""
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + 8 + length]
        if kind == b"IDAT":
            pixels += content
        elif kind == b"IHDR":
            yield kind, content
        place += 12 + length
    yield b"IDAT", pixels


# -- WebP -----------------------------------------------------------------------------------------------------------


class _Rest:
    """Frames that Pillow asks for one by one: to it, an image of several frames."""

    def __init__(self, frames: Sequence[Path], mode: str) -> None:
        self.n_frames, self._frames, self._mode = len(frames), frames, mode

    def seek(self, index: int) -> None:
        """Read a frame."""
        self._frame = _open(self._frames[index]).convert(self._mode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


def _write_webp(
    stream: BinaryIO, frames: Sequence[Path], seconds: Sequence[Fraction], plays: int, record: dict[str, Any] | None
) -> None:
    mode = "RGBA" if any(_has_alpha(path) for path in frames) else "RGB"
    _open(frames[0]).convert(mode).save(
        stream,
        "WEBP",
        save_all=True,
        append_images=[_Rest(frames[1:], mode)],
        duration=_ticks(seconds, 1000),
        loop=plays,
        quality=95,
        lossless=all(_is_paletted(path) for path in frames),
    )


def _is_paletted(path: Path) -> bool:
    """Tell from a PNG's header whether it is a label map in its colours."""
    with path.open("rb") as stream:
        return stream.read(26)[25] == 3


_WRITERS: dict[str, Callable[..., None]] = {
    ".gif": _write_gif,
    ".png": _write_apng,
    ".apng": _write_apng,
    ".webp": _write_webp,
}
