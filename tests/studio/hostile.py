"""Uploads that no honest client sends: pictures broken, huge, or something else altogether."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from artkit.images.provenance import SIGNATURE, png_chunk
from studio_kit import encode

FORMATS = ("JPEG", "GIF", "TIFF", "WEBP", "BMP")
_NUMBERS = (0, 1, 2**16 - 1, 2**31 - 1, 2**32 - 1)
_NOISE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


def head(width: int, height: int, depth: int = 8, colour: int = 2, rest: bytes = b"\0\0\0") -> bytes:
    """Return the beginning of a PNG that says what it will."""
    return SIGNATURE + png_chunk(b"IHDR", struct.pack(">IIBB", width, height, depth, colour) + rest)


def saved(kind: str, mode: str = "RGB", **how: object) -> bytes:
    """Return a small picture as a file."""
    stream = io.BytesIO()
    Image.fromarray(_NOISE).convert(mode).save(stream, kind, **how)
    return stream.getvalue()


def kinds() -> dict[str, bytes]:
    """Return hostile files by what they are."""
    return strangers() | pngs() | others()


def strangers() -> dict[str, bytes]:
    """Return files that are something else altogether."""
    return {
        "nothing": b"",
        "one byte": b"\x89",
        "text": b"Dear studio,\nplease paint this.",
        "html": b"<!doctype html><script>alert(1)</script>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "json": b'{"chain": "invert"}',
        "zip": b"PK\x03\x04" + bytes(100),
        "elf": b"\x7fELF" + bytes(100),
        "pdf": b"%PDF-1.7\n" + saved("PNG"),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
        "icon": b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + bytes(60),
        "pickle": b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.",
    }


def pngs() -> dict[str, bytes]:
    """Return PNGs that are broken, or far larger than they look."""
    png, end, bomb = saved("PNG"), png_chunk(b"IEND", b""), zlib.compress(bytes(10**7))
    return {
        "png: signature alone": SIGNATURE,
        "png: header alone": head(4, 4),
        "png: no pixels": head(4, 4) + end,
        "png: no sides": head(0, 0) + end,
        "png: a side of nothing": head(4, 0) + png_chunk(b"IDAT", zlib.compress(b"")) + end,
        "png: vast": head(2**31 - 1, 2**31 - 1) + end,
        "png: vast one way": head(2**31 - 1, 1) + end,
        "png: over the limit": head(8000, 8000) + png_chunk(b"IDAT", bomb) + end,
        "png: bomb": head(5000, 5000) + png_chunk(b"IDAT", bomb) + end,
        "png: bomb in a text": head(4, 4) + png_chunk(b"zTXt", b"artkit\0\0" + bomb) + end,
        "png: bomb in a profile": head(4, 4) + png_chunk(b"iCCP", b"x\0\0" + bomb) + png[33:],
        "png: depth of 3": head(4, 4, 3) + png[33:],
        "png: colour of 7": head(4, 4, 8, 7) + png[33:],
        "png: method of 9": head(4, 4, rest=b"\x09\0\0") + png[33:],
        "png: wrong checksum": png[:29] + b"\0\0\0\0" + png[33:],
        "png: half": png[: len(png) // 2],
        "png: pixels of rubbish": head(4, 4) + png_chunk(b"IDAT", bytes(range(200))) + end,
        "png: palette left out": head(4, 4, 8, 3) + png_chunk(b"IDAT", zlib.compress(bytes(20))) + end,
        "png: chunk of 2 GB": head(4, 4) + struct.pack(">I4s", 2**31 - 1, b"tEXt") + b"x",
        "png: many chunks": head(4, 4) + png_chunk(b"aaAa", b"") * 5000 + png[33:],
        "png: two headers": head(4, 4) + head(9000, 9000)[8:] + png[33:],
        "png: 16 bits": encode(_NOISE[:, :, 0].astype(np.uint16) * 257),
        "png: clear": saved("PNG", "RGBA"),
        "png: one bit": saved("PNG", "1"),
        "png: profile of rubbish": saved("PNG", icc_profile=b"rubbish" * 20),
        "apng: says many": png[:33] + png_chunk(b"acTL", struct.pack(">II", 10**6, 0)) + png[33:],
    }


def others() -> dict[str, bytes]:
    """Return files of other formats that are broken, or far larger than they look."""
    jpeg, gif, tiff, webp, bmp = (saved(kind, "P" if kind == "GIF" else "RGB") for kind in FORMATS)
    exif = Image.Exif()
    exif[274] = 99
    return {
        "jpeg: half": jpeg[: len(jpeg) // 2],
        "jpeg: start alone": jpeg[:4],
        "jpeg: vast": jpeg.replace(struct.pack(">HH", 12, 16), struct.pack(">HH", 65535, 65535), 1),
        "jpeg: no sides": jpeg.replace(struct.pack(">HH", 12, 16), struct.pack(">HH", 0, 16), 1),
        "jpeg: inks": saved("JPEG", "CMYK"),
        "jpeg: turned nowhere": saved("JPEG", exif=exif.tobytes()),
        "jpeg: exif of rubbish": saved("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "gif: half": gif[: len(gif) // 2],
        "gif: vast": gif[:6] + struct.pack("<HH", 65535, 65535) + gif[10:],
        "gif: header alone": gif[:13],
        "tiff: circle": b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8),
        "tiff: leads outside": b"II*\0\xff\xff\xff\x7f",
        "tiff: many entries": b"II*\0\x08\0\0\0" + struct.pack("<H", 65535) + bytes(200),
        "tiff: half": tiff[: len(tiff) // 2],
        "webp: half": webp[: len(webp) // 2],
        "webp: size lies": webp[:4] + struct.pack("<I", 2**31) + webp[8:],
        "bmp: upside down and vast": bmp[:18] + struct.pack("<ii", 2**30, -(2**30)) + bmp[26:],
        "bmp: half": bmp[: len(bmp) // 2],
        "ppm: vast": b"P6\n999999999 999999999\n255\n",
        "ppm: below nothing": b"P6\n-4 -4\n255\n" + bytes(48),
        "ppm: no end of digits": b"P6\n" + b"9" * 5000,
        "ppm: level of 0": b"P5\n2 2\n0\n\0\0\0\0",
        "avif: brand alone": b"\0\0\0\x18ftypavif" + bytes(12),
        "jp2: signature alone": b"\0\0\0\x0cjP  \r\n\x87\n",
        "floats that are none": saved_floats(float("nan")),
        "floats beyond": saved_floats(1e30),
    }


def saved_floats(value: float) -> bytes:
    """Return a TIFF of floats."""
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, np.float32)).save(stream, "TIFF")
    return stream.getvalue()
