"""PNG with 16 bits a channel in colour, which Pillow reads and writes with 8 (W3C PNG specification).

Reading rests on an observation: PNG filters (section 9) work on bytes, each on the byte one whole pixel to the left and
the row above. So the high bytes of a 16-bit PNG's filtered rows are the filtered rows of an 8-bit PNG, and so are the
low bytes. Pillow decodes both at C speed.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image

from artkit.images.provenance import SIGNATURE, png_chunk

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> colour type: grey, grey + alpha, RGB, RGBA
_CHANNELS = {colour: channels for channels, colour in _COLOUR_TYPES.items()}


def encode_png16(pixels: np.ndarray) -> bytes:
    """Encode uint16 pixels (H, W) or (H, W, C), C from 1 to 4, as a PNG file of 16 bits a channel."""
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").view(np.uint8).reshape(height, -1)
    up = rows.copy()
    up[1:] -= rows[:-1]  # filter 2, "up": smooth pictures pack far better as differences
    filtered = np.concatenate([np.full((height, 1), 2, np.uint8), up], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes())), (b"IEND", b""))
    return SIGNATURE + b"".join(png_chunk(kind, data) for kind, data in chunks)


def decode_png16(stream: BinaryIO) -> np.ndarray | None:
    """Decode a 16-bit PNG to uint16 (H, W, C), C from 1 to 4.

    Returns None for what is not handled here (interlaced, a transparent colour, another depth). Raises ValueError or
    zlib.error for damaged data. The caller has checked the size.
    """
    stream.seek(len(SIGNATURE) + 8)
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", stream.read(13))
    if depth != 16 or interlaced or colour not in _CHANNELS:
        return None
    stream.seek(4, 1)
    packed = _read_image_data(stream)
    if packed is None:
        return None
    channels = _CHANNELS[colour]
    expected = height * (1 + 2 * width * channels)
    inflated = zlib.decompressobj().decompress(packed, expected)
    if len(inflated) < expected:
        raise ValueError("image data is truncated")
    rows = np.frombuffer(inflated, np.uint8).reshape(height, -1)
    high, low = (_unfilter(rows[:, :1], rows[:, 1 + byte :: 2], width, colour) for byte in (0, 1))
    return (high.astype(np.uint16) << 8 | low).reshape(height, width, channels)


def _unfilter(filters: np.ndarray, lane: np.ndarray, width: int, colour: int) -> np.ndarray:
    """Undo the row filters of one byte lane (H, W * C) by way of an 8-bit PNG."""
    header = struct.pack(">IIBBBBB", width, len(lane), 8, colour, 0, 0, 0)
    packed = zlib.compress(np.concatenate([filters, lane], axis=1).tobytes(), level=0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    with Image.open(BytesIO(SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks)), formats=["PNG"]) as image:
        return np.asarray(image)


def _read_image_data(stream: BinaryIO) -> bytes | None:
    """Return the packed image data of the chunks that follow, joined; None when a transparent colour is set."""
    data = []
    while len(start := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind == b"tRNS":
            return None
        if kind == b"IDAT":
            data.append(stream.read(length))
        else:
            stream.seek(length, 1)
        stream.seek(4, 1)
    return b"".join(data)
