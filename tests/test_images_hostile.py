"""Files that lie, end early, or are no pictures: one clear line each."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from artkit.errors import ArtkitError, DataError, ImageError
from artkit.images import read_classes_file, read_picture, read_provenance
from artkit.images.decoding import decoding_errors
from artkit.images.png16 import decode_png16, encode_png16
from artkit.images.provenance import SIGNATURE, png_chunk


def encoded(format_name: str, size: int = 64) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format_name)
    return stream.getvalue()


def refused(source: object) -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(source)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def header_only(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0" * 99)) + png_chunk(b"IEND", b"")
    )


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    assert refused(path) == f"{path} is empty (0 bytes)."


def test_text_named_png(tmp_path: Path) -> None:
    path = tmp_path / "note.png"
    path.write_text("Dear reader,\nthis is no picture.\n")
    assert "holds text, not a picture" in refused(path)


def test_an_unknown_format() -> None:
    assert "is not a picture of a known format" in refused(b"\x00\x01\x02 what is this \xff")


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_truncated_files(tmp_path: Path, format_name: str, share: float) -> None:
    data = encoded(format_name)
    path = tmp_path / f"cut.{format_name.lower()}"
    path.write_bytes(data[: int(len(data) * share)])
    assert str(path) in refused(path)


def test_truncated_16_bit_png() -> None:
    data = encode_png16(np.random.default_rng(0).integers(0, 65536, (32, 32, 3)).astype(np.uint16))
    for length in (20, 40, 60, len(data) // 2, len(data) - 40):
        refused(data[:length])
    assert "image data is truncated" in refused(data[: len(data) // 2])


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM"])
def test_flipped_bytes_never_escape_as_anything_but_an_image_error(format_name: str) -> None:
    data = encoded(format_name, size=16)
    generator = np.random.default_rng(1)
    for _ in range(40):
        broken = bytearray(data)
        for place in generator.integers(0, min(len(data), 200), 4):
            broken[place] = generator.integers(256)
        try:
            read_picture(bytes(broken))
        except ArtkitError as error:
            assert "\n" not in str(error)  # noqa: PT017  (most flips are harmless, some are errors: both are fine)


def test_a_header_of_100000_by_100000() -> None:
    message = refused(header_only(100_000, 100_000))
    assert "100000×100000" in message
    assert "ARTKIT_MAX_PIXELS" in message


def test_the_pixel_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "100")
    assert "64×64" in refused(encoded("PNG"))
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "4096")
    assert read_picture(encoded("PNG")).size == (64, 64)
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "many")
    assert "whole number" in refused(encoded("PNG"))


def test_the_limit_of_pillow_for_the_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_picture(encoded("PNG")).size == (64, 64)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_text_chunks_that_explode() -> None:
    """A few hundred kilobytes of compressed text that would unpack to gigabytes."""
    bomb = zlib.compress(b"\0" * (64 << 20), 9)
    data = encoded("PNG")
    for kind, body in (
        (b"zTXt", b"Comment\0\0" + bomb),
        (b"iTXt", b"Comment\0\1\0\0\0" + bomb),
        (b"iCCP", b"p\0\0" + bomb),
    ):
        try:
            picture = read_picture(data[:33] + png_chunk(kind, body) * 3 + data[33:])
        except ImageError as error:
            assert "\n" not in str(error)  # noqa: PT017  (refusing the file or skipping the chunk: both are safe)
        else:
            assert picture.size == (64, 64)


def test_our_own_chunk_cannot_explode_either() -> None:
    bomb = zlib.compress(b"[" * (8 << 20), 9)
    data = encoded("PNG")
    for body in (b"artkit\0" + b"[" * 100_000, b"artkit\0{"):
        assert read_picture(data[:33] + png_chunk(b"tEXt", body) + data[33:]).provenance is None
    assert read_provenance(BytesIO(data[:33] + png_chunk(b"zTXt", b"artkit\0\0" + bomb) + data[33:])) is None


def test_16_bit_data_longer_than_its_header_says() -> None:
    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    packed = zlib.compress(b"\0" * (32 << 20), 9)
    data = SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    assert read_picture(data).size == (2, 2)


def test_a_folder(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} is a folder, not a picture."


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "semantic.png").touch()
    (tmp_path / "other.txt").touch()
    assert "Did you mean 'semantic.png'?" in refused(tmp_path / "semantc.png")
    assert "Did you mean" not in refused(tmp_path / "zzz.png")
    assert "does not exist" in refused(tmp_path / "nowhere" / "a.png")


def test_impossible_names(tmp_path: Path) -> None:
    refused("a\0b.png")
    refused(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded("PNG"))
    path.chmod(0)
    assert "Permission denied" in refused(path)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_no_reason_to_refuse() -> None:
    stream = BytesIO()
    Image.new("RGB", (4, 3)).save(stream, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x99" * 40)
    assert read_picture(stream.getvalue()).size == (3, 4)


def test_a_large_picture_of_next_to_no_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A strip of nothing: a few kilobytes that once took 4 GB."""
    path = tmp_path / "strip.tif"
    Image.new("1", (64, 1_000_000)).save(path, compression="tiff_adobe_deflate")
    assert path.stat().st_size < 64_000_000 / 2_000
    assert "to 64×1000000 pixels" in refused(path)
    assert "ARTKIT_MAX_PIXELS=64000000" in refused(path)
    assert header_of(path) is None
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "64000000")
    assert header_of(path) == (64, 1_000_000)


def test_a_picture_that_is_not_large_may_be_made_of_next_to_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "strip.tif"
    Image.new("1", (64, 780_000)).save(path, compression="tiff_adobe_deflate")
    assert path.stat().st_size < 64 * 780_000 / 2_000
    assert header_of(path) == (64, 780_000)


def header_of(path: Path) -> tuple[int, int] | None:
    from artkit.data.inspecting import read_header

    header = read_header(path)
    return header and (header.width, header.height)


def test_a_large_plain_label_map_is_no_bomb(tmp_path: Path) -> None:
    """Deflate packs one colour as 1,032 to 1: that much is honest."""
    path = tmp_path / "labels.png"
    Image.new("L", (8192, 8192)).save(path)
    assert path.stat().st_size < 100_000
    assert header_of(path) == (8192, 8192)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_and_devices_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        assert "it is a pipe or a device" in refused(path)
        assert header_of(path) is None
        with pytest.raises(ImageError, match="it is a pipe or a device"):
            read_provenance(path)
    with pytest.raises(DataError, match="it is a pipe or a device"):
        read_classes_file(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="no file name"):
        read_provenance("a\0b.png")


def test_bytes_without_a_name_are_the_picture() -> None:
    with pytest.raises(ImageError, match=r"^The picture is empty \(0 bytes\)\.$"):
        read_picture(b"")


def test_errors_without_a_file_to_look_into_are_one_line() -> None:
    for error, words in ((MemoryError(), "does not fit into memory"), (UnidentifiedImageError(), "is not a picture")):
        with pytest.raises(ImageError, match=rf"^big {words}\.$"), decoding_errors("big"):
            raise error


def test_what_the_16_bit_reader_leaves_to_pillow() -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (3, 4, 3)).astype(np.uint16)
    data = encode_png16(pixels)
    body, end = data[:33], data[33:]
    noted = body + png_chunk(b"tEXt", b"Author\0me") + end
    assert np.array_equal(decode_png16(BytesIO(noted)), pixels)
    assert decode_png16(BytesIO(body + png_chunk(b"tRNS", bytes(6)) + end)) is None
    assert decode_png16(BytesIO(data[:28] + b"\1" + data[29:])) is None  # interlaced
    assert decode_png16(BytesIO(data[:24] + b"\10" + data[25:])) is None  # 8 bits


def test_a_record_is_found_behind_other_notes_and_a_damaged_one_is_none() -> None:
    data = encode_png16(np.zeros((2, 2), np.uint16))
    other, ours = png_chunk(b"tEXt", b"Author\0me"), png_chunk(b"tEXt", b'artkit\0{"chain":"can"}')
    assert read_provenance(BytesIO(data[:33] + other + other + ours + data[33:])) == {"chain": "can"}
    assert read_provenance(BytesIO(data[:33] + png_chunk(b"zTXt", b"artkit\0\0garbage") + data[33:])) is None
    assert read_provenance(BytesIO(data + ours)) is None  # behind the end


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.float32([[0.5, -0.25], [1.5, 0]]), "its pixels run from -0.25 to 1.5; floats must lie in [0, 1]"),
        (np.float32([[0.5, np.nan]]), "its pixels run from nan to nan; floats must lie in [0, 1]"),
        (np.int32([[7, 70_000]]), "its pixels run from 7 to 70000; artkit reads 8 and 16 bits a channel"),
        (np.int32([[-3, 5]]), "its pixels run from -3 to 5; artkit reads 8 and 16 bits a channel"),
    ],
)
def test_pixels_out_of_range_are_told(pixels: np.ndarray, words: str) -> None:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "TIFF")
    assert words in refused(stream.getvalue())
