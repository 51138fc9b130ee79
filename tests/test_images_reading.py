"""Every colour mode, depth, profile and orientation comes in as documented."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from artkit.errors import ImageError
from artkit.images import LABEL_SUFFIXES, READABLE_SUFFIXES, WRITABLE_SUFFIXES, Picture, read_picture
from artkit.images.png16 import encode_png16
from artkit.spec import ClassSet, Kind, LabelClass

TWO = ClassSet("two", (LabelClass("dark", (10, 20, 30)), LabelClass("light", (200, 210, 220))))


def noise(*shape: int, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def encoded(image: Image.Image, format_name: str, **settings: object) -> bytes:
    stream = BytesIO()
    image.save(stream, format_name, **settings)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("format_name", "settings"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("BMP", {})]
)
def test_rgb_comes_in_unchanged(format_name: str, settings: dict[str, object]) -> None:
    pixels = noise(13, 17, 3)
    picture = read_picture(encoded(Image.fromarray(pixels), format_name, **settings))
    assert picture.kind is Kind.IMAGE
    assert picture.tensor.shape == (1, 3, 13, 17)
    assert picture.tensor.dtype == torch.float32
    assert (picture.width, picture.height, picture.size) == (17, 13, (13, 17))
    np.testing.assert_array_equal(picture.numpy(), pixels)


def test_jpeg_comes_in_near() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    pixels = np.stack([np.tile(ramp, (32, 1))] * 3, axis=-1)
    picture = read_picture(encoded(Image.fromarray(pixels), "JPEG", quality=95))
    assert np.abs(picture.numpy().astype(int) - pixels).max() <= 3


def test_a_path_gives_the_stem(tmp_path: Path) -> None:
    path = tmp_path / "summer.day.png"
    Image.fromarray(noise(3, 4, 3)).save(path)
    assert read_picture(path).stem == "summer.day"
    assert read_picture(str(path)).size == (3, 4)
    with open(path, "rb") as stream:
        assert read_picture(stream).size == (3, 4)


def test_a_stream_that_cannot_be_rewound() -> None:
    class Pipe:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def read(self, count: int = -1) -> bytes:
            data, self.data = self.data, b""
            return data

    assert read_picture(Pipe(encoded(Image.fromarray(noise(3, 4, 3)), "PNG"))).size == (3, 4)


def test_grey_and_one_bit_become_colour() -> None:
    grey = noise(6, 5)
    picture = read_picture(encoded(Image.fromarray(grey), "PNG"))
    np.testing.assert_array_equal(picture.numpy(), np.stack([grey] * 3, axis=-1))
    bits = grey > 127
    picture = read_picture(encoded(Image.fromarray(bits), "PNG"))
    np.testing.assert_array_equal(picture.numpy()[:, :, 1], bits * np.uint8(255))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept_aside_straight(mode: str) -> None:
    pixels = noise(6, 5, 4 if mode == "RGBA" else 2)
    picture = read_picture(encoded(Image.fromarray(pixels), "PNG"))
    assert picture.alpha is not None
    assert picture.alpha.shape == (1, 1, 6, 5)
    np.testing.assert_array_equal(picture.alpha_levels(8), pixels[:, :, -1])
    np.testing.assert_array_equal(picture.numpy()[:, :, 0], pixels[:, :, 0])


def test_palette_with_and_without_transparency() -> None:
    image = Image.new("P", (5, 6))
    image.putdata([index % 2 for index in range(30)])
    image.putpalette([10, 20, 30, 200, 210, 220])
    opaque = read_picture(encoded(image, "PNG"))
    assert opaque.alpha is None
    assert tuple(opaque.numpy()[0, 1]) == (200, 210, 220)
    clear = read_picture(encoded(image, "PNG", transparency=1))
    assert clear.alpha is not None
    assert clear.alpha_levels(8)[0, :2].tolist() == [255, 0]


def test_a_transparent_colour_in_rgb_becomes_alpha() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0] = (1, 2, 3)
    picture = read_picture(encoded(Image.fromarray(pixels), "PNG", transparency=(1, 2, 3)))
    assert picture.alpha_levels(8).tolist() == [[0, 255], [255, 255]]


def test_cmyk_becomes_rgb() -> None:
    image = Image.new("CMYK", (4, 3), (0, 255, 255, 0))
    for data in (encoded(image, "TIFF"), encoded(image, "JPEG", quality=100)):
        red, green, blue = read_picture(data).numpy()[1, 1]
        assert red > 250
        assert max(green, blue) < 5


@pytest.mark.parametrize(
    ("format_name", "channels"), [("png", 1), ("png", 2), ("png", 3), ("png", 4), ("tiff", 1), ("tiff", 3), ("tiff", 4)]
)
def test_16_bits_are_kept(format_name: str, channels: int) -> None:
    pixels = noise(7, 9, channels, dtype=np.uint16)
    if format_name == "png":
        data = encode_png16(pixels)
    elif channels == 1:
        data = encoded(Image.fromarray(pixels[:, :, 0]), "TIFF")
    else:
        data = deep_tiff(pixels)
    picture = read_picture(data)
    assert picture.bits == 16
    expected = pixels[:, :, :3] if channels > 2 else np.concatenate([pixels[:, :, :1]] * 3, axis=2)
    np.testing.assert_array_equal(picture.levels(16), expected)
    if channels in (2, 4):
        np.testing.assert_array_equal(picture.alpha_levels(16), pixels[:, :, -1])


def deep_tiff(pixels: np.ndarray, **settings: object) -> bytes:
    import tifffile

    stream = BytesIO()
    extra = {"extrasamples": ["unassalpha"]} if pixels.shape[2] == 4 else {}
    tifffile.imwrite(stream, pixels, photometric="rgb", **extra, **settings)
    return stream.getvalue()


def test_16_bit_tiff_in_planes_and_big_endian() -> None:
    pixels = noise(7, 9, 3, dtype=np.uint16)
    planes = deep_tiff(np.ascontiguousarray(pixels.transpose(2, 0, 1)), planarconfig="separate")
    np.testing.assert_array_equal(read_picture(planes).levels(16), pixels)
    np.testing.assert_array_equal(read_picture(deep_tiff(pixels, byteorder=">")).levels(16), pixels)


def test_16_bit_png_of_another_writer_uses_every_filter() -> None:
    """Rows filtered by hand with each of the five filters come back (PNG specification, section 9)."""
    pixels = noise(10, 6, 3, dtype=np.uint16)
    assert_filters_undone(pixels)


def assert_filters_undone(pixels: np.ndarray) -> None:
    import struct
    import zlib

    from artkit.images.provenance import SIGNATURE, png_chunk

    rows = pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1).astype(int)
    packed = b""
    for index, row in enumerate(rows):
        above = rows[index - 1] if index else np.zeros_like(row)
        left = np.concatenate([np.zeros(6, int), row[:-6]])
        corner = np.concatenate([np.zeros(6, int), above[:-6]])
        estimate = left + above - corner
        distances = np.abs(np.stack([estimate - left, estimate - above, estimate - corner]))
        paeth = np.choose(distances.argmin(0), [left, above, corner])
        kind = index % 5
        predicted = [0 * row, left, above, (left + above) // 2, paeth][kind]
        packed += bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(packed)), (b"IEND", b""))
    data = SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks)
    np.testing.assert_array_equal(read_picture(data).levels(16), pixels)


def test_float_tiff_in_unit_range() -> None:
    values = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    picture = read_picture(encoded(Image.fromarray(values), "TIFF"))
    np.testing.assert_allclose(picture.tensor[0, 1].numpy(), values, atol=1e-5)
    with pytest.raises(ImageError, match=r"\[0, 1\]"):
        read_picture(encoded(Image.fromarray(values * 300), "TIFF"))


def test_32_bit_integers_are_refused() -> None:
    values = np.full((2, 2), 70_000, np.int32)
    with pytest.raises(ImageError, match="70000"):
        read_picture(encoded(Image.fromarray(values), "TIFF"))


@pytest.mark.parametrize(("format_name", "settings"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_of_an_animation_the_first_frame_is_read(format_name: str, settings: dict[str, object]) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("#c80000", "#00c800", "#0000c8")]
    data = encoded(frames[0], format_name, save_all=True, append_images=frames[1:], **settings)
    assert tuple(read_picture(data).numpy()[2, 2]) == (200, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_exif_orientation_is_applied(orientation: int, deep: bool) -> None:
    """The stored pixels are turned as Pillow turns them, at 8 and at 16 bits."""
    pixels = noise(3, 5, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(pixels), "PNG", exif=exif.tobytes())
    methods = [
        None,
        None,
        "FLIP_LEFT_RIGHT",
        "ROTATE_180",
        "FLIP_TOP_BOTTOM",
        "TRANSPOSE",
        "ROTATE_270",
        "TRANSVERSE",
        "ROTATE_90",
    ]
    method = methods[orientation]
    turned = Image.fromarray(pixels).transpose(Image.Transpose[method]) if method else Image.fromarray(pixels)
    if deep:
        data = with_exif(encode_png16(pixels.astype(np.uint16) * 257), exif)
    picture = read_picture(data)
    assert picture.bits == (16 if deep else 8)
    np.testing.assert_array_equal(picture.numpy(), np.asarray(turned))


def with_exif(png: bytes, exif: Image.Exif) -> bytes:
    from artkit.images.provenance import png_chunk

    return png[:33] + png_chunk(b"eXIf", exif.tobytes()[6:]) + png[33:]


def swapped_profile() -> bytes:
    """Return an RGB profile whose red and green primaries are exchanged: a profile no reader can overlook."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def test_a_foreign_profile_is_applied() -> None:
    image = Image.new("RGB", (4, 4), (220, 40, 60))
    picture = read_picture(encoded(image, "PNG", icc_profile=swapped_profile()))
    assert np.abs(picture.numpy()[0, 0].astype(int) - (40, 220, 60)).max() <= 2


def test_a_foreign_profile_keeps_alpha_and_takes_16_bits_down() -> None:
    image = Image.new("RGBA", (4, 4), (220, 40, 60, 99))
    picture = read_picture(encoded(image, "PNG", icc_profile=swapped_profile()))
    assert picture.alpha_levels(8)[0, 0] == 99
    assert picture.numpy()[0, 0, 1] > 200
    deep = read_picture(deep_tiff(np.full((3, 3, 3), (56000, 10000, 15000), np.uint16), iccprofile=swapped_profile()))
    assert deep.bits == 8
    assert deep.numpy()[0, 0, 1] > 200


def test_an_srgb_profile_changes_no_level() -> None:
    pixels = noise(16, 16, 3)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_picture(encoded(Image.fromarray(pixels), "PNG", icc_profile=profile))
    np.testing.assert_array_equal(picture.numpy(), pixels)


@pytest.mark.parametrize("profile", [b"not a profile at all", swapped_profile()[:200]])
def test_a_damaged_profile_is_ignored(profile: bytes) -> None:
    pixels = noise(4, 4, 3)
    picture = read_picture(encoded(Image.fromarray(pixels), "PNG", icc_profile=profile))
    np.testing.assert_array_equal(picture.numpy(), pixels)


def test_labels_are_read_past_any_profile() -> None:
    image = Image.new("RGB", (4, 4), (10, 20, 30))
    picture = read_picture(encoded(image, "PNG", icc_profile=swapped_profile()), kind=Kind.LABELS, classes=TWO)
    assert picture.tensor.eq(0).all()


def test_pillow_images_are_read_and_left_alone() -> None:
    image = Image.fromarray(noise(5, 4, 4))
    before = image.tobytes()
    picture = read_picture(image)
    picture.tensor.zero_()
    assert image.tobytes() == before
    assert picture.alpha is not None


def test_a_picture_passes_through() -> None:
    picture = read_picture(noise(5, 4, 3))
    assert read_picture(picture) is picture


def test_nonsense_is_refused() -> None:
    with pytest.raises(ImageError, match="int"):
        read_picture(7)
    with pytest.raises(ImageError, match="binary"), open(__file__) as text:
        read_picture(text)
    assert isinstance(read_picture(noise(1, 1)), Picture)


def test_pictures_are_known_by_their_suffix() -> None:
    written = {".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
    assert written == WRITABLE_SUFFIXES
    assert written | {".apng", ".avif", ".bmp", ".gif", ".jp2", ".pgm", ".ppm"} == READABLE_SUFFIXES
    assert written - {".jpeg", ".jpg"} == LABEL_SUFFIXES
