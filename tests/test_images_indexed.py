"""Label maps in palette and grey pictures: read by their tables they are what reading their colours gives."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image

from artkit.errors import ImageError
from artkit.images import Picture, convert, read_picture, write_picture
from artkit.images.decoding import Decoding
from artkit.images.indexed import read_indexed, read_label_map
from artkit.images.reading import _read_image
from artkit.spec import ClassSet, Kind, LabelClass

FOUR = ClassSet(
    "four",
    tuple(LabelClass(*item) for item in [("a", (9, 8, 7)), ("b", (2, 2, 2)), ("c", (0, 0, 0)), ("d", (255, 255, 255))]),
)


def encoded(image: Image.Image, form: str = "PNG", **settings: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **settings)
    return stream.getvalue()


def by_colours(data: bytes, classes: ClassSet) -> Picture | str:
    """Read a label map as any picture is read, colours first: the reference; its refusal where it refuses."""
    try:
        return convert(_read_image(data, Decoding(managed=False)), Kind.LABELS, classes, [classes])
    except ImageError as refusal:
        return str(refusal)


def palette(pixels: np.ndarray, colours: list[tuple[int, int, int]]) -> Image.Image:
    image = Image.fromarray(pixels)
    image.putpalette([level for colour in colours for level in colour])
    return image


COLOURS = st.sampled_from([*FOUR.colours, (1, 1, 1), (3, 3, 3), (5, 6, 7)])


@given(
    st.lists(COLOURS, min_size=1, max_size=6), st.sampled_from(["palette", "grey"]), st.data(), st.sampled_from([0, 6])
)
def test_tables_give_what_colours_give(colours, form, data, orientation):
    highest = len(colours) - 1 if form == "palette" else data.draw(st.sampled_from([1, 3, 5, 255]))
    values = data.draw(st.lists(st.integers(0, highest), min_size=6, max_size=6))
    pixels = np.array(values, np.uint8).reshape(2, 3)
    image = palette(pixels, colours) if form == "palette" else Image.fromarray(pixels)
    exif = Image.Exif()
    if orientation:
        exif[274] = orientation
    file = encoded(image, exif=exif)
    expected = by_colours(file, FOUR)
    if isinstance(expected, str):
        assert read_indexed(BytesIO(file), "x", FOUR) is None
        with pytest.raises(ImageError) as caught:
            read_picture(file, kind=Kind.LABELS, classes=FOUR)
        assert str(caught.value) == expected
        return
    picture = read_picture(file, kind=Kind.LABELS, classes=FOUR)
    assert picture.tensor.tolist() == expected.tensor.tolist()
    assert picture.tensor.dtype == torch.uint8
    assert (picture.classes, picture.kind, picture.alpha) == (FOUR, Kind.LABELS, None)


@pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF", "BMP"])
def test_formats_with_palettes(form):
    file = encoded(palette(np.array([[0, 1, 2], [3, 3, 0]], np.uint8), list(FOUR.colours)), form)
    assert read_indexed(BytesIO(file), "x", FOUR).tolist() == [[[0, 1, 2], [3, 3, 0]]]


def test_black_and_white_are_colours_or_indices():
    file = encoded(Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1"))
    assert read_picture(file, kind=Kind.LABELS, classes=FOUR).tensor.tolist() == [[[2, 3, 2]]]


def test_a_colour_with_two_equal_levels_is_no_index():
    """Only greys may be indices: (1, 1, 3) is none."""
    file = encoded(palette(np.array([[0, 1]], np.uint8), [(1, 1, 3), (2, 2, 3)]))
    with pytest.raises(ImageError, match="is not a label map"):
        read_picture(file, kind=Kind.LABELS, classes=FOUR)


def test_what_is_see_through_keeps_its_alpha():
    file = encoded(palette(np.array([[0, 1]], np.uint8), list(FOUR.colours)), transparency=1)
    assert read_indexed(BytesIO(file), "x", FOUR) is None
    picture = read_picture(file, kind=Kind.LABELS, classes=FOUR)
    assert picture.tensor.tolist() == [[[0, 1]]]
    assert picture.alpha.flatten().tolist() == [1, 0]


def test_colour_and_large_sets_take_the_long_way():
    assert read_indexed(BytesIO(encoded(Image.new("RGB", (2, 2)))), "x", FOUR) is None
    many = ClassSet("many", tuple(LabelClass(f"c{n}", (n >> 8, n & 255, 7)) for n in range(257)))
    assert read_indexed(BytesIO(encoded(Image.new("L", (2, 2)))), "x", many) is None


def test_a_label_map_is_known_by_its_palette():
    """Not by grey levels, which may be indices, and not where one colour is that of no class."""
    greys = ClassSet("greys", tuple(LabelClass(f"g{n}", (n + 90, n, n)) for n in range(4)))
    pixels = np.array([[0, 1, 2], [3, 3, 0]], np.uint8)
    labels, classes = read_label_map(BytesIO(encoded(palette(pixels, list(FOUR.colours)))), "x", [greys, FOUR])
    assert (labels.tolist(), labels.dtype, classes) == ([pixels.tolist()], torch.uint8, FOUR)
    others = [palette(pixels, [*FOUR.colours[:3], (5, 6, 7)]), palette(pixels, [(n, n, n) for n in range(4)])]
    for image in (*others, Image.fromarray(pixels), palette(pixels, list(FOUR.colours)).convert("RGB")):
        assert read_label_map(BytesIO(encoded(image)), "x", [greys, FOUR]) is None
    see_through = encoded(palette(pixels, list(FOUR.colours)), transparency=1)
    assert read_label_map(BytesIO(see_through), "x", [FOUR]) is None


def test_name_and_record_come_along(tmp_path: Path):
    path = tmp_path / "map.png"
    labels = Picture(torch.tensor([[[0, 1, 3]]]), kind=Kind.LABELS, classes=FOUR, provenance={"seed": 7})
    write_picture(labels, path)
    picture = read_picture(path, kind=Kind.LABELS, classes=FOUR)
    assert (picture.stem, picture.provenance) == ("map", {"seed": 7})
    assert torch.equal(picture.tensor.long(), labels.tensor)
    write_picture(picture, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_damage_is_one_line():
    file = encoded(palette(np.random.default_rng(0).integers(0, 4, (64, 64), np.uint8), list(FOUR.colours)))
    with pytest.raises(ImageError, match="damaged") as caught:
        read_picture(file[: len(file) // 2], kind=Kind.LABELS, classes=FOUR)
    assert "\n" not in str(caught.value)
