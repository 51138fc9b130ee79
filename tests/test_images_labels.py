"""Palettes and label maps: exact, nearest, resampled without inventing classes."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from artkit.errors import DataError, ImageError
from artkit.images import (
    Picture,
    match_palette,
    nearest_palette,
    one_hot,
    paint_labels,
    read_classes_file,
    read_picture,
    resize_image,
    resize_labels,
    write_classes_file,
)
from artkit.images.classes import spread_colour
from artkit.images.conversion import convert
from artkit.images.reading import labels_from_tensor
from artkit.spec import ClassSet, Kind, LabelClass

COLOURS = st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20, unique=True)
SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))


def class_set(colours: list[tuple[int, int, int]], name: str = "set") -> ClassSet:
    return ClassSet(name, tuple(LabelClass(f"class{index}", colour) for index, colour in enumerate(colours)))


def random_labels(size: tuple[int, int], k: int, seed: int = 0, batch: int = 1) -> torch.Tensor:
    return torch.randint(0, k, (batch, *size), generator=torch.Generator().manual_seed(seed))


LAND = class_set([(110, 170, 220), (140, 190, 80), (50, 95, 160)], "land")
TOWN = class_set([(0, 0, 170), (255, 85, 0), (0, 85, 255)], "town")


@settings(max_examples=50, deadline=None)
@given(COLOURS, SIZES, st.integers(0, 9))
def test_painting_and_matching_are_inverse(
    colours: list[tuple[int, int, int]], size: tuple[int, int], seed: int
) -> None:
    classes = class_set(colours)
    labels = random_labels(size, len(classes), seed, batch=2)
    image = paint_labels(labels, classes)
    assert image.shape == (2, 3, *size)
    found, share = match_palette(image, classes)
    assert share == 1
    assert torch.equal(found, labels)
    assert torch.equal(nearest_palette(image, classes), labels)


@settings(max_examples=30, deadline=None)
@given(COLOURS, SIZES, st.integers(0, 9))
def test_nearest_agrees_with_brute_force(colours: list[tuple[int, int, int]], size: tuple[int, int], seed: int) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))
    found = nearest_palette(image, class_set(colours))[0].numpy()
    pixels = image[0].permute(1, 2, 0).numpy().astype(np.float64) * 255
    distances = ((pixels[:, :, None] - np.array(colours, float)) ** 2).sum(-1)
    chosen = np.take_along_axis(distances, found[:, :, None], axis=-1)[:, :, 0]
    np.testing.assert_allclose(chosen, distances.min(-1), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("level", range(200, 256))
def test_every_level_goes_to_the_nearer_of_two_greys(level: int) -> None:
    image = torch.full((1, 3, 1, 1), level / 255)
    nearest = int(level > 227)
    assert nearest_palette(image, class_set([(200, 200, 200), (255, 255, 255)])).item() == nearest


def test_share_counts_exact_pixels_and_the_rest_goes_to_the_nearest() -> None:
    image = paint_labels(torch.zeros(1, 2, 2, dtype=torch.int64), LAND)
    image[0, :, 0, 0] += 0.1
    labels, share = match_palette(image, LAND)
    assert share == 0.75
    assert labels.tolist() == [[[0, 0], [0, 0]]]


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, st.integers(1, 6))
def test_one_hot_and_resizing(size: tuple[int, int], target: tuple[int, int], k: int) -> None:
    labels = random_labels(size, k)
    planes = one_hot(labels, k)
    assert planes.shape == (1, k, *size)
    assert planes.dtype == torch.float32
    assert torch.equal(planes.argmax(1), labels)
    assert torch.equal(planes.sum(1), torch.ones(1, *size))
    resized = resize_labels(labels, target)
    assert resized.shape == (1, *target)
    assert resized.dtype == torch.int64
    assert set(resized.unique().tolist()) <= set(labels.unique().tolist())
    assert torch.equal(resize_labels(labels, size), labels)


@settings(max_examples=20, deadline=None)
@given(SIZES, st.integers(1, 4))
def test_enlarging_by_a_whole_number_repeats(size: tuple[int, int], factor: int) -> None:
    labels = random_labels(size, 5)
    larger = resize_labels(labels, (size[0] * factor, size[1] * factor))
    assert torch.equal(larger, labels.repeat_interleave(factor, 1).repeat_interleave(factor, 2))
    if factor % 2:  # an odd factor has a middle pixel, whose centre is the old one's
        assert torch.equal(resize_labels(larger, size), labels)


def test_labels_outside_the_set_are_named() -> None:
    with pytest.raises(ImageError, match="class 3"):
        paint_labels(torch.full((1, 2, 2), 3), LAND)
    with pytest.raises(ImageError, match="class -1"):
        one_hot(torch.full((1, 2, 2), -1), 3)


@settings(max_examples=20, deadline=None)
@given(SIZES, SIZES)
def test_image_resizing_stays_in_range(size: tuple[int, int], target: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size).round()
    resized = resize_image(image, target)
    assert resized.shape == (1, 3, *target)
    assert resized.min() >= 0
    assert resized.max() <= 1
    assert torch.equal(resize_image(image, size), image)
    flat = resize_image(torch.full((1, 1, *size), 0.25), target)
    torch.testing.assert_close(flat, torch.full_like(flat, 0.25), atol=1e-4, rtol=0)


def painted(classes: ClassSet, size: tuple[int, int] = (6, 5)) -> Picture:
    return Picture(random_labels(size, len(classes)), Kind.LABELS, classes).painted()


def test_an_exact_map_becomes_labels() -> None:
    picture = painted(TOWN)
    named = convert(picture, Kind.LABELS, TOWN)
    found = convert(picture, Kind.LABELS, None, [LAND, TOWN])
    assert named.classes == found.classes == TOWN
    assert torch.equal(named.tensor, random_labels((6, 5), 3))
    assert torch.equal(convert(named, Kind.IMAGE).tensor, picture.tensor)


def test_grey_levels_may_be_indices() -> None:
    indices = np.random.default_rng(0).integers(0, 3, (6, 5)).astype(np.uint8)
    picture = read_picture(indices)
    np.testing.assert_array_equal(convert(picture, Kind.LABELS, LAND).numpy(), indices)
    with pytest.raises(ImageError, match="not a label map"):
        convert(read_picture(indices + 1), Kind.LABELS, LAND)


def test_every_grey_level_may_be_an_index() -> None:
    every = ClassSet("every", tuple(LabelClass(f"class{n}", (n, 255 - n, 7)) for n in range(256)))
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(convert(read_picture(levels), Kind.LABELS, every).numpy(), levels)


def test_a_wrong_map_names_share_set_and_step() -> None:
    image = painted(TOWN).tensor.clone()
    image[0, :, 0, 0] = 0.5
    picture = Picture(image, stem="map")
    with pytest.raises(
        ImageError, match=r"'map' is not a label map: 96\.7 % .*'town' \(the nearest; 'land' is wanted\).*semgan"
    ):
        convert(picture, Kind.LABELS, LAND, [LAND, TOWN])
    with pytest.raises(ImageError, match=r"96\.7 % .*'town'\. Put semgan first"):
        convert(picture, Kind.LABELS, TOWN, [LAND, TOWN])
    with pytest.raises(ImageError, match="no class set is known"):
        convert(Picture(torch.rand(1, 3, 4, 4)), Kind.LABELS)


def test_nearly_all_is_not_said_to_be_all() -> None:
    image = painted(LAND, (64, 64)).tensor.clone()
    image[0, 0, 0, 0] += 0.1
    with pytest.raises(ImageError, match=r"99\.9 %"):
        convert(Picture(image), Kind.LABELS, LAND)


def test_labels_of_another_set_are_read_again_by_colour() -> None:
    turned = class_set(list(reversed(LAND.colours)), "turned")
    labels = Picture(random_labels((4, 4), 3), Kind.LABELS, LAND)
    assert torch.equal(convert(labels, Kind.LABELS, turned).tensor, 2 - labels.tensor)
    with pytest.raises(ImageError, match="0 %"):
        convert(labels, Kind.LABELS, TOWN)
    bare = Picture(labels.tensor, Kind.LABELS)
    assert convert(bare, Kind.LABELS, LAND).classes == LAND
    assert convert(labels, Kind.LABELS) is labels


def test_masks() -> None:
    white = Picture(torch.ones(1, 3, 3, 3))
    mask = convert(white, Kind.MASK)
    assert mask.tensor.shape == (1, 1, 3, 3)
    torch.testing.assert_close(mask.tensor, torch.ones(1, 1, 3, 3))
    assert convert(mask, Kind.IMAGE).tensor.shape == (1, 3, 3, 3)
    for source, kind in (
        (mask, Kind.LABELS),
        (white, Kind.TEXT),
        (convert(painted(LAND), Kind.LABELS, LAND), Kind.MASK),
    ):
        with pytest.raises(ImageError, match="cannot serve"):
            convert(source, kind)


def test_classes_file_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "land" / "classes.txt"
    path.parent.mkdir()
    write_classes_file(LAND, path)
    assert path.read_text().splitlines()[1] == "1 class1 140 190 80"
    assert read_classes_file(path) == LAND
    path.write_text("# two classes\n\n1 b 0 0 1\n0 a 255 0 0  # red\n")
    assert read_classes_file(path, "mine") == class_set_named("mine", ["a", "b"], [(255, 0, 0), (0, 0, 1)])


def class_set_named(name: str, names: list[str], colours: list[tuple[int, int, int]]) -> ClassSet:
    return ClassSet(name, tuple(LabelClass(*pair) for pair in zip(names, colours, strict=True)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 sky 1 2", "line 1: expected"),
        ("0 sky 1 2 3\nfoo", "line 2: expected"),
        ("0 sky 1 2 300", "outside 0..255"),
        ("0 a 1 2 3\n0 b 4 5 6", "line 2: index 0 comes twice"),
        ("0 a 1 2 3\n2 b 4 5 6", "without gaps"),
        ("0 a 1 2 3\n1 b 1 2 3", "twice"),
        ("0 a 1 2 3\n1 a 4 5 6", "twice"),
        ("9" * 400 + " sky", "line 1: index 99999999999999999999 is too large: the last there can be is 65535"),
        ("9" * 5000 + " sky 1 2 3", "line 1: index 9+ is too large"),
        ("65536 sky", "line 1: index 65536 is too large"),
        ("-1 sky", "without gaps"),
        ("0 sky 1 2 " + "9" * 5000, r"outside 0\.\.255"),
        ("0 sky 1 2 \u00b2", "line 1: expected"),
        ("0.5 sky 1 2 3", "line 1: expected"),
        ("", "no classes"),
    ],
)
def test_wrong_classes_files(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "classes.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=reason):
        read_classes_file(path)


def test_missing_and_binary_classes_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_classes_file(tmp_path / "classes.txt")
    (tmp_path / "classes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        read_classes_file(tmp_path / "classes.txt")


def test_a_class_file_has_a_length(tmp_path: Path) -> None:
    with (tmp_path / "classes.txt").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DataError, match="is no class file: it has more than 16777216 bytes"):
        read_classes_file(tmp_path / "classes.txt")


@pytest.mark.parametrize("band", [1, 7, 2**20])
def test_bands_of_rows_change_nothing(band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = random_labels((13, 5), len(LAND), batch=2)
    noisy = torch.rand(2, 3, 13, 5, generator=torch.Generator().manual_seed(1))
    image = paint_labels(labels, LAND)
    colours = torch.tensor(LAND.colours)[labels].movedim(-1, 1) / 255
    mixed = torch.where(torch.arange(13).view(-1, 1) % 3 == 0, noisy, image)
    nearest, share = nearest_palette(noisy, LAND), match_palette(mixed, LAND)
    monkeypatch.setattr("artkit.images.labels._BAND", band)
    assert torch.equal(paint_labels(labels, LAND), colours)
    assert torch.equal(nearest_palette(noisy, LAND), nearest)
    again = match_palette(mixed, LAND)
    assert torch.equal(again[0], share[0])
    assert again[1] == share[1] == pytest.approx(8 / 13)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_integer_type_are_resized_and_painted(dtype: torch.dtype) -> None:
    labels = random_labels((9, 14), len(LAND))
    small = resize_labels(labels.to(dtype), (5, 20))
    assert small.dtype == dtype
    rows, columns = ([int((i + 0.5) * old / new) for i in range(new)] for old, new in ((9, 5), (14, 20)))
    assert torch.equal(small.long(), labels[:, rows][:, :, columns])
    assert torch.equal(paint_labels(labels.to(dtype), LAND), paint_labels(labels, LAND))


def test_tensors_that_are_no_labels_are_refused() -> None:
    with pytest.raises(ImageError, match="Labels are integers, one class index a pixel, not"):
        labels_from_tensor(torch.rand(4, 4))
    with pytest.raises(ImageError, match=r"Labels must be \(H, W\) or \(1, H, W\), not \(3, 4, 4\)"):
        labels_from_tensor(torch.zeros(3, 4, 4, dtype=torch.int64))
    assert labels_from_tensor(torch.ones(2, 4, dtype=torch.uint8)).shape == (1, 2, 4)


def test_colours_of_classes_without_any_are_hues_a_golden_angle_apart() -> None:
    colours = [spread_colour(index) for index in range(256)]
    assert len(set(colours)) == 256
    for index, colour in enumerate(colours):
        hue, saturation, value = colorsys.rgb_to_hsv(*(level / 255 for level in colour))
        assert abs((hue - index * (5**0.5 - 1) / 2 + 0.5) % 1 - 0.5) < 0.01
        assert min(saturation, value) > 0.45
