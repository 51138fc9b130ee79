"""Pictures of printers and of grey scanners come in by their colour profiles, and by no profile of another kind."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from itertools import product
from unittest.mock import Mock

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from artkit.errors import ImageError
from artkit.images import read_picture
from artkit.images.png16 import encode_png16
from artkit.images.provenance import SIGNATURE, png_chunk
from test_images_reading import deep_tiff

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WHITE, RED, BLACK = (255, 128, 128), (138, 208, 195), (0, 128, 128)  # Lab in bytes, as ICC stores it


def profile(space: bytes, connection: bytes, name: bytes, data: bytes) -> bytes:
    """Return an ICC profile of one tag (ICC.1:2001-04, section 6)."""
    start = 128 + 4 + 12
    header = struct.pack(">I4xI4s4s4s12x4s", start + len(data), 0x02100000, b"prtr", space, connection, b"acsp")
    return header.ljust(128, b"\0") + struct.pack(">I4sII", 1, name, start, len(data)) + data


def press() -> bytes:
    """Return the profile of a press whose cyan ink is red."""
    ramp, corners = bytes(range(256)), product((0, 1), repeat=4)
    colours = (BLACK if key else RED if cyan else WHITE for cyan, _, _, key in corners)
    table = struct.pack(">4s4x3Bx9i", b"mft1", 4, 3, 2, *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    return profile(b"CMYK", b"Lab ", b"A2B0", table + ramp * 4 + bytes(sum(colours, ())) + ramp * 3)


def scanner() -> bytes:
    """Return the profile of a scanner with a gamma of 4."""
    return profile(b"GRAY", b"XYZ ", b"kTRC", struct.pack(">4s4xIH2x", b"curv", 1, 4 * 256))


def encoded(image: Image.Image, **settings: object) -> bytes:
    stream = BytesIO()
    image.save(stream, "TIFF", **settings)
    return stream.getvalue()


def pixel(image: Image.Image, icc: bytes) -> list[int]:
    return read_picture(encoded(image, icc_profile=icc)).numpy()[1, 1].tolist()


@pytest.mark.parametrize(
    ("ink", "seen"), [((255, 0, 0, 0), (255, 0, 0)), ((0, 0, 0, 255), (0, 0, 0)), ((0, 0, 0, 0), (255, 255, 255))]
)
def test_inks_look_as_the_press_prints_them(ink, seen):
    np.testing.assert_allclose(pixel(Image.new("CMYK", (3, 3), ink), press()), seen, atol=16)


def test_grey_levels_look_as_the_scanner_saw_them():
    for mode, colour in (("L", 128), ("LA", (128, 9))):
        picture = read_picture(encoded(Image.new(mode, (3, 3), colour), icc_profile=scanner()))
        assert picture.numpy()[1, 1].tolist() == [71] * 3
    assert picture.alpha_levels(8).tolist() == [[9] * 3] * 3


def deep(*levels: int) -> np.ndarray:
    return np.full((3, 3, len(levels)), levels, np.uint16)


@pytest.mark.parametrize(
    ("levels", "seen"),
    [(deep(128 * 257), 71), (deep(128 * 257, 9 * 257), 71), (deep(128 * 257 + 128), 71), (deep(128 * 257 + 129), 72)],
    ids=["grey", "with alpha", "rounded down", "rounded up"],
)
def test_grey_levels_of_16_bits_look_as_the_scanner_saw_them_at_8(levels, seen):
    picture = read_picture(with_profile(encode_png16(levels), scanner()))
    assert (picture.bits, picture.numpy()[1, 1].tolist()) == (8, [seen] * 3)
    if levels.shape[2] == 2:
        assert picture.alpha_levels(8).tolist() == [[9] * 3] * 3


@pytest.mark.parametrize("levels", [deep(33000), deep(33000, 500), deep(56000, 10000, 15000)])
@pytest.mark.parametrize("icc", [SRGB, press(), b"no profile at all"], ids=["sRGB", "of ink", "damaged"])
def test_a_profile_that_changes_nothing_leaves_16_bits(levels, icc):
    picture = read_picture(with_profile(encode_png16(levels), icc))
    colours = levels if levels.shape[2] == 3 else levels[:, :, [0, 0, 0]]
    assert picture.bits == 16
    assert np.array_equal(picture.levels(16), colours)


def with_profile(data: bytes, icc: bytes) -> bytes:
    """Return a PNG with a colour profile after its header."""
    start = len(SIGNATURE) + 25
    return data[:start] + png_chunk(b"iCCP", b"some\0\0" + zlib.compress(icc)) + data[start:]


@pytest.mark.parametrize(
    ("image", "icc"),
    [
        (Image.new("RGB", (3, 3), (10, 200, 30)), press()),
        (Image.new("RGB", (3, 3), (10, 200, 30)), scanner()),
        (Image.new("CMYK", (3, 3), (245, 55, 225, 0)), scanner()),
        (Image.new("L", (3, 3), 70), press()),
    ],
    ids=["ink for RGB", "grey for RGB", "grey for ink", "ink for grey"],
)
def test_a_profile_of_another_kind_of_picture_is_ignored(image, icc):
    assert pixel(image, icc) == pixel(image, b"")


@pytest.mark.parametrize("error", [ValueError("LZW needs a package"), KeyError("LZW needs a package")])
def test_a_packing_that_is_not_known_comes_at_8_bits_or_not_at_all(monkeypatch, error):
    """In planes Pillow takes 16 bits for 8, so that there it is refused."""
    pixels = np.full((3, 4, 3), (56000, 10000, 15000), np.uint16)
    rows, planes = (
        deep_tiff(pixels),
        deep_tiff(np.ascontiguousarray(pixels.transpose(2, 0, 1)), planarconfig="separate"),
    )
    monkeypatch.setattr(tifffile, "TiffFile", Mock(side_effect=error))
    picture = read_picture(rows)
    assert (picture.bits, picture.numpy()[1, 1].tolist()) == (8, [218, 39, 58])
    with pytest.raises(ImageError) as caught:
        read_picture(planes)
    assert str(caught.value) == f"The picture cannot be used: {error}; save it uncompressed."
