"""What this room refuses, said in full: call -> sentence."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, UnidentifiedImageError

from artkit.errors import DataError, ImageError, OutputError
from artkit.images import (
    Picture,
    convert,
    encode_picture,
    make_strip,
    one_hot,
    paint_labels,
    read_classes_file,
    read_picture,
    read_provenance,
    show,
    write_picture,
)
from artkit.images.decoding import UnsuitablePixelsError, decoding_errors
from artkit.images.reading import labels_from_tensor
from artkit.spec import ClassSet, Kind, LabelClass

TWO = ClassSet("two", (LabelClass("a", (9, 0, 0)), LabelClass("b", (0, 7, 0))))
KNOWN = "artkit reads PNG, JPEG, WebP, TIFF, GIF, BMP, PPM, JPEG 2000 and AVIF."
FLOATS = "Float pixels must lie in [0, 1]; these run from"


def grey(level: float, kind: Kind = Kind.IMAGE) -> Picture:
    shapes = {Kind.IMAGE: (1, 3, 2, 2), Kind.MASK: (1, 1, 2, 2), Kind.LABELS: (1, 2, 2)}
    return Picture(torch.full(shapes[kind], level, dtype=torch.int64 if kind is Kind.LABELS else torch.float32), kind)


def floats(low: float, high: float) -> np.ndarray:
    return np.array([[low, high]], np.float32)


class Unnamed:
    """A file without a name, of these bytes or words."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def read(self, count: int = -1) -> Any:
        return self.content


READING = {
    "folder": (Path("/"), "/ is a folder, not a picture."),
    "no folder": ("/no/a.png", "There is no file /no/a.png: the folder /no does not exist."),
    "no name": ("a\0b.png", "Cannot read 'a\\x00b.png': that is no file name."),
    "long name": ("x" * 300, f"Cannot read {'x' * 300}: File name too long."),
    "nothing": (None, "No picture can be read from NoneType: pass a path, bytes, an image or an array."),
    "text file": (io.StringIO("x"), "The file is open as text; open it as binary: open(path, 'rb')."),
    "text of no file": (Unnamed("x"), "The file is open as text; open it as binary: open(path, 'rb')."),
    "empty": (b"", "The picture is empty (0 bytes)."),
    "empty file": (Unnamed(b""), "The picture is empty (0 bytes)."),
    "words": (b"Dear reader,\tno\r\n\x0c.", f"The picture holds text, not a picture; {KNOWN}"),
    "space": (b" " * 600 + b"\0", f"The picture holds text, not a picture; {KNOWN}"),
    "bytes": (b"\x1f what", f"The picture is not a picture of a known format; {KNOWN}"),
    "png": (b"\x89PNG", "The picture is damaged: its header is incomplete."),
    "jpeg": (b"\xff\xd8\xff", "The picture is damaged: its header is incomplete."),
    "webp": (b"RIFF", "The picture is damaged: its header is incomplete."),
    "tiff": (b"II*\0", "The picture is damaged: its header is incomplete."),
    "other tiff": (b"MM\0*", "The picture is damaged: its header is incomplete."),
    "gif": (b"GIF8", "The picture is damaged: its header is incomplete."),
    "two channels": (np.zeros((5, 7, 2)), "An array must be (H, W), (H, W, 3) or (H, W, 4), not (5, 7, 2)."),
    "channels first": (
        np.zeros((3, 5, 7)),
        "An array must be (H, W), (H, W, 3) or (H, W, 4), not (3, 5, 7). Channels come last: array.transpose(1, 2, 0).",
    ),
    "integers": (np.zeros((2, 2), int), "An array must be uint8, uint16, bool or float in [0, 1], not int64."),
    "tensor of integers": (
        torch.zeros(2, 2, dtype=torch.int32),
        "A tensor must be uint8, uint16, bool or float in [0, 1], not int32.",
    ),
    "batch": (torch.zeros(2, 3, 4, 4), "A tensor of one picture is wanted, not a batch of 2. Pass them one by one."),
    "channels last": (torch.zeros(5, 7, 3), "A tensor must be (3, H, W) or (1, 3, H, W), not (1, 5, 7, 3)."),
    "five axes": (torch.zeros(1, 1, 3, 4, 4), "A tensor must be (3, H, W) or (1, 3, H, W), not (1, 1, 3, 4, 4)."),
    "no pixel": (torch.zeros(3, 0, 4), "A picture needs at least one pixel; this tensor is (1, 3, 0, 4)."),
    "meta": (
        torch.zeros(3, 2, 2, device="meta"),
        "A picture is a dense tensor, with a number for every pixel, and this is a meta one.",
    ),
    "sparse": (
        torch.ones(3, 2, 2).to_sparse(),
        "A picture is a dense tensor, with a number for every pixel, and this is a sparse one.",
    ),
    "0 to 255": (floats(0, 255), f"{FLOATS} 0 to 255. Divide by 255."),
    "0 to 256": (floats(0, 256), f"{FLOATS} 0 to 256."),
    "-1 to 255": (floats(-1, 255), f"{FLOATS} -1 to 255."),
    "-1 to 1": (floats(-1, 1), f"{FLOATS} -1 to 1. Map [-1, 1] to it: (x + 1) / 2."),
    "below": (floats(-0.002, 1), f"{FLOATS} -0.002 to 1. Map [-1, 1] to it: (x + 1) / 2."),
    "-1.5 to 1": (floats(-1.5, 1), f"{FLOATS} -1.5 to 1."),
    "-1 to 1.5": (floats(-1, 1.5), f"{FLOATS} -1 to 1.5."),
    "nan": (floats(0, np.nan), f"{FLOATS} nan to nan."),
    "inf": (floats(0, np.inf), f"{FLOATS} 0 to inf."),
}


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize(("source", "sentence"), READING.values(), ids=READING)
def test_what_cannot_be_read(source, sentence):
    with pytest.raises(ImageError, match=f"^{re.escape(sentence)}$"):
        read_picture(source)


def test_a_file_calls_its_errors_by_its_path(tmp_path):
    path = tmp_path / "sea.png"
    path.write_bytes(b"")
    for source in (path, str(path)):
        with pytest.raises(ImageError, match=f"^{re.escape(str(path))} is empty"):
            read_picture(source)
    with path.open("rb") as stream, pytest.raises(ImageError, match=f"^{re.escape(str(path))} is empty"):
        read_picture(stream)
    with pytest.raises(
        ImageError, match=rf"^There is no file {re.escape(str(tmp_path))}/sae.png\. Did you mean 'sea.p"
    ):
        read_picture(tmp_path / "sae.png")


def test_a_pillow_image_is_called_so():
    broken = Image.open(io.BytesIO(encode_picture(grey(0.5), ".png")[:45]))
    with pytest.raises(ImageError, match=r"^The Pillow image is damaged and cannot be read \(.*\)\.$"):
        read_picture(broken)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImageError("as it is"), "as it is"),
        (UnidentifiedImageError("what"), "a.png is not a picture."),
        (UnsuitablePixelsError("it is odd"), "a.png cannot be used: it is odd."),
        (MemoryError(), "a.png does not fit into memory."),
        (ValueError("broken data. \nin line 7"), "a.png is damaged and cannot be read (broken data)."),
        (KeyError(), "a.png is damaged and cannot be read (KeyError)."),
    ],
    ids=["own", "unknown", "odd", "memory", "damage", "silent"],
)
def test_what_decoders_raise_becomes_a_sentence(error, sentence):
    with pytest.raises(ImageError) as caught, decoding_errors("a.png"):
        raise error
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.array([[0, 65536]], np.int32), "from 0 to 65536; artkit reads 8 and 16 bits a channel."),
        (np.array([[-1, 9]], np.int32), "from -1 to 9; artkit reads 8 and 16 bits a channel."),
        (np.array([[0, 1.5]], np.float32), "from 0 to 1.5; floats must lie in [0, 1]."),
        (np.array([[-0.5, 1]], np.float32), "from -0.5 to 1; floats must lie in [0, 1]."),
    ],
)
def test_numbers_that_are_no_levels(values, sentence):
    with pytest.raises(ImageError) as caught:
        read_picture(Image.fromarray(values))
    assert str(caught.value) == f"The Pillow image cannot be used: its pixels run {sentence}"


@pytest.mark.parametrize("levels", [(0, 65535), (1, 2)])
def test_levels_up_to_the_last_are_read(levels):
    assert read_picture(Image.fromarray(np.array([levels], np.int32))).levels(16)[0, :, 0].tolist() == list(levels)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (torch.rand(2, 2), "Labels are integers, one class index a pixel, not float32."),
        (torch.ones(2, 2, dtype=torch.bool), "Labels are integers, one class index a pixel, not bool."),
        (torch.ones(2, 2, dtype=torch.complex64), "Labels are integers, one class index a pixel, not complex64."),
        (torch.ones(2, 2, 2, dtype=int), "Labels must be (H, W) or (1, H, W), not (2, 2, 2)."),
        (torch.ones(2, dtype=int), "Labels must be (H, W) or (1, H, W), not (2,)."),
    ],
)
def test_tensors_that_are_no_labels(labels, sentence):
    with pytest.raises(ImageError) as caught:
        labels_from_tensor(labels)
    assert str(caught.value) == sentence


NEEDS = "A picture of kind '{}' needs a tensor {}, not {}."
PICTURES = {
    "text": ((torch.zeros(1), Kind.TEXT), "A picture is an image, labels or a mask; text travels as a plain string."),
    "bytes": (
        (torch.zeros(1, 3, 2, 2, dtype=torch.uint8),),
        NEEDS.format("image", "float32 (1, 3, H, W)", "uint8 (1, 3, 2, 2)"),
    ),
    "two": ((torch.zeros(2, 3, 2, 2),), NEEDS.format("image", "float32 (1, 3, H, W)", "float32 (2, 3, 2, 2)")),
    "no batch": ((torch.zeros(3, 2, 2),), NEEDS.format("image", "float32 (1, 3, H, W)", "float32 (3, 2, 2)")),
    "mask": (
        (torch.zeros(1, 3, 2, 2), Kind.MASK),
        NEEDS.format("mask", "float32 (1, 1, H, W)", "float32 (1, 3, 2, 2)"),
    ),
    "labels": (
        (torch.zeros(1, 2, 2), Kind.LABELS),
        NEEDS.format("labels", "int64 or uint8 (1, H, W)", "float32 (1, 2, 2)"),
    ),
    "planes of labels": (
        (torch.zeros(1, 1, 2, 2, dtype=int), Kind.LABELS),
        NEEDS.format("labels", "int64 or uint8 (1, H, W)", "int64 (1, 1, 2, 2)"),
    ),
    "empty": (
        (torch.zeros(1, 0, 2, dtype=int), Kind.LABELS),
        NEEDS.format("labels", "int64 or uint8 (1, H, W)", "int64 (1, 0, 2)"),
    ),
    "class": (
        (torch.full((1, 2, 2), 2), Kind.LABELS, TWO),
        "A label map holds class 2, but the 'two' class set has only classes 0 to 1.",
    ),
    "alpha": (
        (torch.zeros(1, 3, 2, 2), Kind.IMAGE, None, torch.zeros(1, 1, 2, 1)),
        "The alpha channel (1, 1, 2, 1) does not fit a picture of (2, 2).",
    ),
}


@pytest.mark.parametrize(("parts", "sentence"), PICTURES.values(), ids=PICTURES)
def test_tensors_that_are_no_picture(parts, sentence):
    with pytest.raises(ImageError) as caught:
        Picture(*parts)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: one_hot(torch.tensor([[[0, 2]]]), 2), "A label map holds class 2, but the class set has only classes"),
        (lambda: one_hot(torch.tensor([[[-1, 9]]]), 2), "A label map holds class -1, but the class set has only"),
        (lambda: paint_labels(torch.tensor([[[2]]]), TWO), "A label map holds class 2, but the 'two' class set has"),
    ],
)
def test_classes_outside_the_set(call, sentence):
    with pytest.raises(ImageError) as caught:
        call()
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith("only classes 0 to 1.")


@pytest.mark.parametrize(
    ("picture", "kind", "sentence"),
    [
        (grey(1, Kind.MASK), Kind.LABELS, "A picture of kind 'mask' cannot serve as 'labels'."),
        (grey(1), Kind.TEXT, "A picture of kind 'image' cannot serve as 'text'."),
        (
            Picture(torch.rand(1, 3, 2, 2), stem="sea"),
            Kind.LABELS,
            "'sea' cannot be read as labels: no class set is known. Put semgan first in the chain.",
        ),
        (
            grey(0, Kind.LABELS),
            Kind.IMAGE,
            "This label map has no class set, so its colours are not known. Give classes=.",
        ),
    ],
    ids=["mask", "text", "no classes", "bare labels"],
)
def test_kinds_that_nothing_becomes_by_itself(picture, kind, sentence):
    with pytest.raises(ImageError) as caught:
        convert(picture, kind)
    assert str(caught.value) == sentence


def test_a_picture_that_is_no_label_map_is_told_what_matches_and_what_to_do():
    half = Picture(torch.tensor([9, 5, 0, 5, 0, 6]).float().div(255).reshape(1, 3, 1, 2), stem="sea")
    end = "Put semgan first in the chain: it turns any picture into a label map."
    said = "'sea' is not a label map: 50 % of its pixels have exactly a colour of the class set 'two'"
    blank = ClassSet("blank", (LabelClass("a", (1, 1, 1)),))
    for wanted, known, more in ((TWO, [], "."), (None, [blank, TWO], "."), (blank, [TWO], " (the nearest; 'blank' is")):
        with pytest.raises(ImageError) as caught:
            convert(half, Kind.LABELS, wanted, known)
        assert str(caught.value).startswith(said + more)
        assert str(caught.value).endswith(f". {end}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 sky 1 2", ", line 1: expected 'index name R G B'."),
        ("\n# all\n0 a 1 2 3\nx b 4 5 6", ", line 4: expected 'index name R G B'."),
        ("0 a 1 2 3\n0 b 4 5 6", ", line 2: index 0 comes twice."),
        ("0 a 1 2 3\n2 b 4 5 6", ": indices must run from 0 to 1 without gaps."),
        ("65536 sky", ", line 1: index 65536 is too large: the last there can be is 65535."),
        ("65535 sky", ": indices must run from 0 to 0 without gaps."),
    ],
)
def test_wrong_class_files(tmp_path, text, sentence):
    path = tmp_path / "classes.txt"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_classes_file(path)
    assert str(caught.value) == f"{path}{sentence}"


def test_class_files_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "classes.txt"
    with pytest.raises(DataError, match=rf"^Cannot read the class file {re.escape(str(path))}: No such file or direct"):
        read_classes_file(path)
    path.write_bytes(b"\xff")
    with pytest.raises(
        DataError, match=rf"^Cannot read the class file {re.escape(str(path))}: it is not UTF-8 text\.$"
    ):
        read_classes_file(path)
    text = b"0 sky 1 2 3\n"
    path.write_bytes(text)
    monkeypatch.setattr("artkit.images.classes.MAX_BYTES", len(text))
    assert len(read_classes_file(path)) == 1
    monkeypatch.setattr("artkit.images.classes.MAX_BYTES", len(text) - 1)
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))} is no class file: it has more than 11 bytes\.$"):
        read_classes_file(path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a.pgn", "Cannot write '.pgn' files. Did you mean '.png' or '.jpg'?"),
        ("a.PGN", "Cannot write '.PGN' files. Did you mean '.png' or '.jpg'?"),
        ("map", "Cannot write 'map' without a suffix. Known: .jpeg, .jpg, .png, .tif, .tiff, .webp."),
        ("a.jpg", "JPEG would change the colours of a label map. Write it as .png, .webp or .tif."),
    ],
)
def test_files_that_no_label_map_becomes(tmp_path, name, sentence):
    with pytest.raises(OutputError) as caught:
        write_picture(grey(0, Kind.LABELS), tmp_path / name)
    assert str(caught.value) == sentence


def test_a_picture_too_wide_for_its_format():
    with pytest.raises(OutputError, match=r"^Cannot write 70000×1 pixels as \.JPG \(.+\)\.$"):
        encode_picture(Picture(torch.zeros(1, 3, 1, 70_000)), ".JPG")


def test_records_of_what_is_no_file(tmp_path):
    with pytest.raises(
        ImageError, match=rf"^Cannot read {re.escape(str(tmp_path))}/a.png: No such file or directory\.$"
    ):
        read_provenance(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"^Cannot read 'a\\x00b': that is no file name\.$"):
        read_provenance("a\0b")


def test_a_strip_of_nothing():
    with pytest.raises(ValueError, match=r"^a strip needs at least one picture$"):
        make_strip([[], []])


def test_a_terminal_without_a_size(monkeypatch):
    class Flat:
        def __init__(self, image, **size):
            raise ValueError("no rows")

    monkeypatch.setattr("artkit.images.terminal._renderable", lambda stream: Flat)
    with pytest.raises(OutputError, match=r"^The picture cannot be shown in this terminal \(no rows\)\.$"):
        show(grey(0.5), io.StringIO())


@pytest.mark.parametrize("limit", ["0", "-5", "1.5", "many", "²"])
def test_a_limit_of_pixels_that_is_none(limit, monkeypatch):
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", limit)
    with pytest.raises(ImageError) as caught:
        read_picture(encode_picture(grey(0.5), ".png"))
    assert str(caught.value) == f"ARTKIT_MAX_PIXELS must be a whole number of pixels, not '{limit}'."


def test_pictures_past_a_limit_of_pixels_and_at_it(monkeypatch):
    data = encode_picture(Picture(torch.zeros(1, 3, 30, 50)), ".png")
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "1500")
    assert read_picture(data).size == (30, 50)
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "1499")
    with pytest.raises(ImageError) as caught:
        read_picture(data)
    assert str(caught.value) == (
        "The picture is 50×30 pixels; the limit is 1,499 pixels in all. "
        "If you trust it and have the memory, set ARTKIT_MAX_PIXELS higher."
    )
