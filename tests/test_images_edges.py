"""What is written, laid out and read to the last byte, level and pixel: against Pillow, and at limits."""

from __future__ import annotations

import io
import json
import logging
import math
import struct
import sys
import zlib
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from rich.color import Color

from artkit.errors import ImageError, OutputError
from artkit.images import (
    Picture,
    encode_picture,
    fold_rows,
    labels as label_maps,
    make_grid,
    make_strip,
    one_hot,
    provenance as records,
    read_classes_file,
    read_picture,
    read_provenance,
    resize_image,
    terminal,
    write_classes_file,
    write_picture,
)
from artkit.images.decoding import Decoding, _changes_nothing, decode
from artkit.images.indexed import read_indexed
from artkit.images.png16 import decode_png16, encode_png16
from artkit.images.provenance import SIGNATURE, add_provenance, png_chunk
from artkit.spec import ClassSet, Kind, LabelClass

TWO = ClassSet("two", (LabelClass("a", (9, 0, 0)), LabelClass("b", (0, 7, 0))))
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 17, 4), dtype=np.uint8)


def saved(image, form, **settings):
    stream = BytesIO()
    image.save(stream, form, **settings)
    return stream.getvalue()


@pytest.mark.parametrize("channels", [3, 4])
def test_files_are_those_that_pillow_writes_with_these_settings(channels):
    pixels = PIXELS[:, :, :channels]
    picture, image = read_picture(pixels), Image.fromarray(pixels)
    paper = Image.new("RGB", image.size, (255, 255, 255))
    paper.paste(image, mask=image.getchannel("A") if channels == 4 else None)
    for suffix, expected in {
        ".png": saved(image, "PNG", compress_level=4),
        ".jpg": saved(paper, "JPEG", quality=95, subsampling=0),
        ".JPEG": saved(paper, "JPEG", quality=95, subsampling=0),
        ".webp": saved(image, "WEBP", quality=95, exact=True),
        ".tif": saved(image, "TIFF", compression="tiff_adobe_deflate"),
        ".TIFF": saved(image, "TIFF", compression="tiff_adobe_deflate"),
    }.items():
        assert encode_picture(picture, suffix) == expected


def test_label_maps_in_webp_are_without_loss():
    labels = Picture(torch.tensor([[[0, 1, 1], [1, 0, 1]]]), Kind.LABELS, TWO)
    painted = Image.fromarray(np.array([[TWO.colours[value] for value in row] for row in labels.numpy()], np.uint8))
    assert encode_picture(labels, ".webp") == saved(painted, "WEBP", lossless=True)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", [Kind.MASK, Kind.IMAGE])
@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bits_of_masks_and_pictures(suffix, kind, alpha):
    chance = torch.Generator().manual_seed(0)
    channels = 1 if kind is Kind.MASK else 3
    clear = torch.rand(1, 1, 5, 6, generator=chance) if alpha else None
    picture = Picture(torch.rand(1, channels, 5, 6, generator=chance), kind, alpha=clear, bits=16)
    again = read_picture(encode_picture(picture, suffix))
    assert again.bits == 16
    expected = (picture.tensor[0] * 65535).round().int().movedim(0, -1).expand(5, 6, 3)
    assert np.array_equal(again.levels(16), expected.numpy())
    if kind is Kind.IMAGE and alpha:
        assert np.array_equal(again.alpha_levels(16), (clear[0, 0] * 65535).round().numpy())
    else:
        assert again.alpha is None


def test_labels_are_bytes_as_long_as_they_fit():
    for most, dtype in ((255, np.uint8), (256, np.uint16), (65535, np.uint16)):
        levels = Picture(torch.tensor([[[0, most]]]), Kind.LABELS).numpy()
        assert (levels.dtype, levels.tolist()) == (dtype, [[0, most]])


def test_a_record_goes_into_png_alone_and_none_is_written_where_it_is_empty(tmp_path):
    picture = Picture(torch.zeros(1, 3, 2, 2), provenance={"chain": "own"})
    for given, kept in ((None, {"chain": "own"}), ({"chain": "b"}, {"chain": "b"}), ({}, None)):
        path = write_picture(picture, tmp_path / "a.png", provenance=given, overwrite=True)
        assert read_provenance(path) == kept
    assert encode_picture(picture, ".tif") == encode_picture(Picture(torch.zeros(1, 3, 2, 2)), ".tif")
    plain = encode_picture(Picture(torch.zeros(1, 3, 2, 2)), ".png")
    text = b'artkit\0{"a":"\\u00fc","b":1}'
    assert add_provenance(plain, {"b": 1, "a": "ü"}) == plain[:33] + png_chunk(b"tEXt", text) + plain[33:]


def test_a_file_of_classes_is_replaced_when_asked_alone(tmp_path):
    path = tmp_path / "two" / "classes.txt"
    path.parent.mkdir()
    write_classes_file(TWO, path)
    assert path.read_bytes() == b"0 a 9 0 0\n1 b 0 7 0\n"
    with pytest.raises(OutputError, match="exists"):
        write_classes_file(TWO, path)
    write_classes_file(ClassSet("x", TWO.classes[:1]), path, overwrite=True)
    assert len(read_classes_file(path)) == 1


def test_a_class_file_may_have_commas_signs_and_notes(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("1,b, +0 7,0 # grass\n# nothing\n0 a 9 0 0#sky\n")
    assert read_classes_file(path, "two") == TWO
    assert read_classes_file(path).name == tmp_path.name
    path.write_text("0 a\n1 b\n")
    assert read_classes_file(path).colours == ((230, 0, 0), (71, 103, 178))


def drawn(rows, width, height, gap, size, captions=True):
    """Draw the sheet that rows of (picture, caption) make, each picture of the size of the cells."""
    font = ImageFont.load_default(size=size)
    band = math.ceil(font.getbbox("Ágjy")[3] * 1.4) if captions else 0
    count = max(map(len, rows))
    sheet = Image.new("RGB", (count * (width + gap) + gap, len(rows) * (height + band + gap) + gap), (250, 249, 246))
    for down, row in enumerate(rows):
        for across, (picture, caption) in enumerate(row):
            left, top = gap + across * (width + gap), gap + down * (height + band + gap)
            sheet.paste(picture.to_pil(), (left, top))
            ImageDraw.Draw(sheet).text((left, top + height + gap // 2), caption, (40, 40, 40), font)
    return np.asarray(sheet)


@pytest.mark.parametrize(
    ("width", "height", "gap", "size"), [(64, 40, 4, 11), (240, 40, 5, 11), (289, 288, 6, 13), (253, 400, 5, 11)]
)
def test_a_sheet_has_gaps_and_letters_by_the_size_of_its_cells(width, height, gap, size):
    chance = torch.Generator().manual_seed(0)
    pictures = [Picture(torch.rand(1, 3, height, width, generator=chance)) for _ in range(3)]
    for captions in (("one", "two", ""), ("", "", "")):
        told = list(zip(pictures, captions, strict=True))
        rows = [told[:2], told[2:]]
        expected = drawn(rows, width, height, gap, size, any(captions))
        assert np.array_equal(make_strip(rows).numpy(), expected)
    assert make_strip(rows).stem == "strip"


def test_cells_are_no_larger_than_they_may_be():
    wide, tall = Picture(torch.zeros(1, 3, 10, 900)), Picture(torch.zeros(1, 3, 800, 10))
    assert make_strip([[(wide, "")]]).size == (10 + 2 * 16, 768 + 2 * 16)
    assert make_strip([[(tall, "")]]).size == (768 + 8, 10 + 8)
    assert make_strip([[(wide, "")]], cell=100).size == (10 + 8, 100 + 8)
    dark = (make_strip([[(wide, "")]], cell=90).numpy() < 100).all(-1)
    assert dark.sum() == 90  # 900 x 10 becomes 90 x 1
    assert make_grid([wide], cell=96).size == (10 + 8, 96 + 8)


def test_a_grid_is_as_square_as_can_be():
    small = Picture(torch.zeros(1, 3, 20, 20))
    for count, columns, rows in ((1, 1, 1), (2, 2, 1), (4, 2, 2), (5, 3, 2), (9, 3, 3), (10, 4, 3)):
        assert make_grid([small] * count).size == (rows * 24 + 4, columns * 24 + 4)
    assert make_grid([small] * 5, columns=5).size == (28, 124)


@pytest.mark.parametrize(("rows", "beside"), [(3, 1), (4, 2), (8, 2), (9, 3)])
def test_rows_stand_beside_each_other_where_their_sheet_would_be_far_too_high(rows, beside):
    small = Picture(torch.zeros(1, 3, 10, 10))
    folded = fold_rows([[(small, str(index))] for index in range(rows)])
    assert len(folded[0]) == beside
    assert [caption for row in folded for _, caption in row] == [str(index) for index in range(rows)]


def test_half_blocks_show_two_pixels_each():
    pixels = np.arange(3 * 2 * 3, dtype=np.uint8).reshape(3, 2, 3)
    text = terminal.half_blocks(read_picture(pixels), 9, 9)
    assert text.plain == "▀▀\n▀▀\n"
    assert text.no_wrap
    seen = [(span.style.color, span.style.bgcolor) for span in text.spans]
    due = [(pixels[row, column], pixels[min(row + 1, 2), column]) for row in (0, 2) for column in (0, 1)]
    assert seen == [tuple(Color.from_rgb(*map(int, colour)) for colour in pair) for pair in due]


@pytest.mark.parametrize(("columns", "rows", "size"), [(8, 9, (8, 4)), (20, 3, (12, 6)), (40, 40, (40, 20))])
def test_half_blocks_fit_into_their_place(columns, rows, size):
    lines = terminal.half_blocks(Picture(torch.zeros(1, 3, 20, 40)), columns, rows).plain.splitlines()
    assert (len(lines[0]), len(lines)) == (size[0], size[1] // 2)


@pytest.mark.parametrize(
    ("size", "shown"), [((1, 8), (1, 8)), ((1, 16), (2, 16)), ((16, 1), (16, 2)), ((8, 1), (8, 1)), ((3, 3), (3, 3))]
)
def test_very_thin_pictures_are_thickened(size, shown):
    image = terminal._drawable(Picture(torch.full((1, 1, *size), 0.5), Kind.MASK))
    assert (image.height, image.width, image.mode) == (*shown, "RGB")


@pytest.mark.parametrize(("tty", "system"), [(True, "auto"), (False, "truecolor")])
def test_a_pager_gets_all_colours_and_the_width_is_passed_on(tty, system, monkeypatch):
    told = {}

    class Drawn:
        def __init__(self, image, **size):
            told.update(size, image=image.size)

        def __rich__(self):
            return "drawn"

    class Stream(io.StringIO):
        def isatty(self):
            return tty

    class Console:
        def __init__(self, *, file, color_system):
            told.update(file=file, system=color_system)

        def print(self, what):
            told["file"].write(what.__rich__())

    monkeypatch.setattr("rich.console.Console", Console)
    monkeypatch.setattr(terminal, "_renderable", lambda stream: Drawn)
    stream = Stream()
    monkeypatch.setattr("sys.stdout", stream)
    for width, passed in ((None, "auto"), (7, 7)):
        terminal.show(Picture(torch.zeros(1, 3, 2, 5)), width=width)
        assert told == {"file": stream, "system": system, "width": passed, "height": "auto", "image": (5, 2)}
    assert stream.getvalue() == "drawndrawn"


@pytest.mark.parametrize(("stream_is", "output_is"), [(True, True), (True, False), (False, True), (False, False)])
def test_graphics_are_for_a_terminal_that_was_asked(stream_is, output_is, monkeypatch):
    library = SimpleNamespace(Image="graphics", HalfcellImage="half blocks", is_tty=output_is)
    monkeypatch.setitem(sys.modules, "textual_image", SimpleNamespace(renderable=library))
    found = terminal._renderable(SimpleNamespace(isatty=lambda: stream_is))
    assert found == ("graphics" if stream_is and output_is else "half blocks")
    assert logging.getLogger("textual_image").level == logging.ERROR


def test_bands_have_some_million_pixels(monkeypatch):
    assert label_maps._BAND == 2**20
    monkeypatch.setattr(label_maps, "_BAND", 20)
    for shape, starts in (((2, 5, 5), [0, 2, 4]), ((1, 4, 10), [0, 2]), ((1, 3, 50), [0, 1, 2]), ((1, 3, 0), [0])):
        assert [band.start for band in label_maps._bands(shape)] == starts


def test_labels_without_a_pixel_are_of_any_class():
    assert one_hot(torch.zeros(1, 0, 4, dtype=torch.int64), 3).shape == (1, 3, 0, 4)
    with pytest.raises(ImageError, match="class 3"):
        one_hot(torch.full((1, 1, 1), 3), 3)


def test_pictures_are_resized_as_torch_does_and_masks_too():
    for channels in (1, 3):
        image = torch.rand(1, channels, 9, 14, generator=torch.Generator().manual_seed(0))
        for size in ((5, 20), (9, 15), (10, 14)):
            expected = torch.nn.functional.interpolate(image, size, mode="bicubic", antialias=True).clamp(0, 1)
            torch.testing.assert_close(resize_image(image, size), expected)
        assert resize_image(image, (9, 14)) is image


def test_arrays_that_may_not_be_written_are_read():
    array = np.broadcast_to(np.uint8(7), (3, 4, 3))
    assert read_picture(array).numpy().tolist() == array.tolist()
    assert read_picture(np.ones((2, 2), ">u2")).levels(16).max() == 1


@pytest.mark.parametrize("level", [0.0, 1.0, -0.0009, 1.0009])
def test_floats_a_little_out_of_range_are_clamped(level):
    picture = read_picture(np.full((2, 2, 3), level))
    assert float(picture.tensor.min()) == float(picture.tensor.max()) == min(max(level, 0), 1)


@pytest.mark.parametrize(
    ("at_least", "size"), [(0, (64, 96)), (33, (64, 96)), (32, (32, 48)), (9, (16, 24)), (8, (8, 12))]
)
def test_a_jpeg_is_decoded_at_a_fraction_where_that_is_enough(at_least, size):
    data = saved(Image.new("RGB", (96, 64)), "JPEG")
    assert decode(BytesIO(data), "a", Decoding(at_least=at_least)).shape[:2] == size
    assert read_picture(data, at_least=at_least).size == size


@pytest.mark.parametrize(("count", "read"), [(256, True), (257, False)])
def test_tables_have_256_entries(count, read):
    many = ClassSet("many", tuple(LabelClass(f"c{n}", (n % 256, n // 256, 0)) for n in range(count)))
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([0, 0, 0, 1, 0, 0])
    labels = read_indexed(BytesIO(saved(image, "PNG")), "a", many)
    assert (labels is not None) is read


def chunks_before(data, count, kind=b"tIME", body=b"1234567"):
    return data[:33] + png_chunk(kind, body) * count + data[33:]


def test_a_record_is_looked_for_among_so_many_chunks(monkeypatch):
    plain = saved(Image.new("L", (1, 1)), "PNG")
    data = chunks_before(add_provenance(plain, {"a": 1}), 2)
    monkeypatch.setattr(records, "_MAX_CHUNKS", 4)  # the header, two others, the record
    assert read_provenance(BytesIO(data)) == {"a": 1}
    monkeypatch.setattr(records, "_MAX_CHUNKS", 3)
    assert read_provenance(BytesIO(data)) is None


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
def test_texts_of_other_kinds_and_keywords_are_passed_by(kind):
    plain = saved(Image.new("L", (1, 1)), "PNG")
    data = chunks_before(add_provenance(plain, {"a": 1}), 2, kind, b"Title\0\0\0\0\0words")
    assert read_provenance(BytesIO(data)) == {"a": 1}


def test_a_record_may_have_a_length(monkeypatch):
    plain, record = saved(Image.new("L", (1, 1)), "PNG"), {"a": "x" * 50}
    text = json.dumps(record, separators=(",", ":")).encode()
    forms = {
        b"tEXt": b"artkit\0" + text,
        b"zTXt": b"artkit\0\0" + zlib.compress(text),
        b"iTXt": b"artkit\0\1\0en\0Artkit\0" + zlib.compress(text),
    }
    for kind, body in forms.items():
        data = chunks_before(plain, 1, kind, body)
        limit = max(len(body), len(text))
        monkeypatch.setattr(records, "_MAX_RECORD", limit)
        assert read_provenance(BytesIO(data)) == record
        monkeypatch.setattr(records, "_MAX_RECORD", limit - 1)
        assert read_provenance(BytesIO(data)) is None
    monkeypatch.setattr(records, "_MAX_RECORD", 1000)
    plain_text = chunks_before(plain, 1, b"iTXt", b"artkit\0\0\0en\0Artkit\0" + text)
    assert read_provenance(BytesIO(plain_text)) == record


@pytest.mark.parametrize("content", [b"[1]", b"7", b"{", b"\xff", b""])
def test_a_record_is_a_table(content):
    data = chunks_before(saved(Image.new("L", (1, 1)), "PNG"), 1, b"tEXt", b"artkit\0" + content)
    assert read_provenance(BytesIO(data)) is None


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_deep_pngs_come_back_and_shallow_or_interlaced_ones_are_left_to_pillow(channels):
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 4, channels), dtype=np.uint16)
    data = encode_png16(pixels)
    assert np.array_equal(decode_png16(BytesIO(data)), pixels)
    if channels == 1:
        assert encode_png16(pixels[:, :, 0]) == data
    header = bytearray(data[16:29])
    for place, value in ((8, 8), (12, 1), (9, 3)):
        changed = bytes(header[:place]) + bytes([value]) + bytes(header[place + 1 :])
        assert decode_png16(BytesIO(SIGNATURE + png_chunk(b"IHDR", changed) + data[33:])) is None
    assert decode_png16(BytesIO(chunks_before(data, 1, b"tRNS", b"\0" * 6))) is None
    assert np.array_equal(decode_png16(BytesIO(chunks_before(data, 2))), pixels)


@pytest.mark.parametrize(("shift", "nothing"), [(-3, False), (-2, True), (0, True), (2, True), (3, False)])
def test_a_profile_that_changes_levels_by_two_at_most_changes_nothing(shift, nothing, monkeypatch):
    def shifted(image, transform):
        assert image.size == (27, 27)
        levels = np.asarray(image).astype(int)
        assert set(levels[..., 0].flat) == {0, 32, 64, 96, 128, 159, 191, 223, 255}
        levels[13, 13, 1] += shift
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8))

    monkeypatch.setattr("artkit.images.decoding.ImageCms.applyTransform", shifted)
    assert _changes_nothing("transform") is nothing


@pytest.mark.parametrize(("channels", "colour"), [(1, 0), (2, 4), (3, 2), (4, 6)])
def test_the_header_of_a_png_of_16_bits_says_what_the_format_knows(channels, colour):
    """PNG specification, section 11.2.2: width, height, depth, colour; deflate, adaptive filters, no interlace."""
    data = encode_png16(np.zeros((3, 5, channels), np.uint16))
    assert struct.unpack(">IIBBBBB", data[16:29]) == (5, 3, 16, colour, 0, 0, 0)
