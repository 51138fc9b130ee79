"""Arrays and tensors: types, ranges, shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from artkit.engine.step import resize
from artkit.errors import ImageError
from artkit.images import Picture, convert, encode_picture, one_hot, read_picture
from artkit.images.reading import holds_labels
from artkit.spec import ClassSet, Kind, LabelClass

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from([np.uint8, np.uint16]), SHAPES)
def test_integer_arrays_come_back_exactly(data: st.DataObject, dtype: type, shape: tuple[int, int, int]) -> None:
    array = data.draw(hnp.arrays(dtype, shape))
    picture = read_picture(array)
    bits = 8 * np.dtype(dtype).itemsize
    assert picture.bits == bits
    colours = array[:, :, :3] if shape[2] > 1 else np.repeat(array, 3, axis=2)
    np.testing.assert_array_equal(picture.levels(bits), colours)
    assert (picture.alpha is not None) == (shape[2] == 4)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32)))
def test_floats_are_rounded_not_cut(array: np.ndarray) -> None:
    picture = read_picture(array)
    expected = np.round(array.astype(np.float32) * np.float32(255)).astype(np.uint8)
    np.testing.assert_array_equal(picture.numpy()[:, :, 0], expected[:, :, 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", np.bool_])
def test_other_float_types_and_booleans(dtype: type | str) -> None:
    assert read_picture(np.ones((2, 3), dtype)).numpy().min() == 255


@pytest.mark.parametrize(
    ("array", "hint"),
    [
        (np.full((2, 2, 3), 255.0), "Divide by 255"),
        (np.full((2, 2, 3), -0.8), r"\(x \+ 1\) / 2"),
        (np.full((2, 2, 3), np.nan), "nan"),
        (np.full((2, 2, 3), np.inf), "inf"),
        (np.zeros((3, 8, 9)), "transpose"),
        (np.zeros((2, 2, 2)), r"\(H, W, 3\)"),
        (np.zeros((0, 2, 3)), "at least one pixel"),
        (np.zeros((2, 2, 3), np.int64), "int64"),
        (np.zeros((2, 2, 3), complex), "complex"),
        (np.array(["a"]), "H, W"),
    ],
)
def test_wrong_arrays_say_what_to_do(array: np.ndarray, hint: str) -> None:
    with pytest.raises(ImageError, match=hint):
        read_picture(array)


def test_tensors_with_and_without_batch() -> None:
    tensor = torch.rand(3, 5, 7)
    for source in (tensor, tensor.unsqueeze(0)):
        assert torch.equal(read_picture(source).tensor, tensor.unsqueeze(0))
    assert read_picture(torch.rand(4, 5, 7)).alpha is not None
    assert read_picture(torch.rand(5, 7)).size == (5, 7)
    assert read_picture(torch.zeros(3, 5, 7, dtype=torch.uint16)).bits == 16
    for wrong in (
        torch.rand(2, 3, 4, 4),
        torch.rand(4, 4, 3, 1, 1),
        torch.rand(5, 7, 3),
        torch.zeros(3, 4, 4, dtype=torch.int64),
    ):
        with pytest.raises(ImageError):
            read_picture(wrong)


def test_the_source_is_never_shared() -> None:
    tensor, array = torch.rand(3, 4, 4), np.random.default_rng(0).random((4, 4, 3), np.float32)
    before = tensor.clone(), array.copy()
    read_picture(tensor).tensor.zero_()
    read_picture(array).tensor.zero_()
    read_picture(array.transpose(1, 0, 2)).tensor.zero_()
    assert torch.equal(tensor, before[0])
    np.testing.assert_array_equal(array, before[1])


def test_gradients_do_not_travel() -> None:
    assert not read_picture(torch.rand(3, 4, 4, requires_grad=True)).tensor.requires_grad


def test_integer_arrays_as_labels() -> None:
    classes = ClassSet("two", (LabelClass("a", (0, 0, 0)), LabelClass("b", (1, 1, 1))))
    for source in (np.array([[0, 1]]), np.array([[0, 1]], np.uint8), torch.tensor([[[0, 1]]], dtype=torch.int32)):
        picture = read_picture(source, kind=Kind.LABELS, classes=classes)
        assert picture.kind is Kind.LABELS
        assert picture.tensor.tolist() == [[[0, 1]]]
        assert picture.tensor.dtype == torch.int64
    with pytest.raises(ImageError, match="class 2"):
        read_picture(np.array([[0, 2]]), kind=Kind.LABELS, classes=classes)


def test_a_picture_checks_its_tensor() -> None:
    with pytest.raises(ImageError, match="float32"):
        Picture(torch.zeros(1, 3, 4, 4, dtype=torch.float64))
    with pytest.raises(ImageError, match="int64"):
        Picture(torch.zeros(1, 3, 4, 4), kind=Kind.LABELS)
    with pytest.raises(ImageError, match="int64 or uint8"):
        Picture(torch.zeros(1, 4, 4, dtype=torch.int32), kind=Kind.LABELS)
    with pytest.raises(ImageError, match="needs a tensor"):
        Picture(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ImageError, match="alpha"):
        Picture(torch.zeros(1, 3, 4, 4), alpha=torch.zeros(1, 1, 2, 2))
    with pytest.raises(ImageError, match="plain string"):
        Picture(torch.zeros(1, 3, 4, 4), kind=Kind.TEXT)


def test_with_tensor_keeps_what_belongs_to_the_picture() -> None:
    picture = Picture(
        torch.rand(1, 3, 4, 6), alpha=torch.rand(1, 1, 4, 6), bits=16, stem="a", provenance={"chain": "x"}
    )
    labels = picture.with_tensor(torch.zeros(1, 4, 6, dtype=torch.int64), kind=Kind.LABELS)
    larger = labels.with_tensor(torch.rand(1, 3, 8, 12), kind=Kind.IMAGE)
    assert (larger.bits, larger.stem, larger.provenance) == (16, "a", None)
    assert larger.alpha is not None
    assert larger.alpha.shape == (1, 1, 8, 12)
    assert torch.equal(labels.alpha, picture.alpha)


def test_with_tensor_keeps_classes_for_labels_alone_and_takes_new_ones() -> None:
    one, other = (ClassSet(name, (LabelClass("a", (1, 2, 3)),)) for name in ("one", "other"))
    zeros = torch.zeros(1, 4, 6, dtype=torch.int64)
    labels = Picture(zeros, kind=Kind.LABELS, classes=one)
    assert labels.with_tensor(zeros).classes == one
    assert labels.with_tensor(zeros, classes=other).classes == other
    assert labels.with_tensor(torch.rand(1, 3, 4, 6), kind=Kind.IMAGE).classes is None


@pytest.mark.parametrize(
    "tensor",
    [torch.rand(3, 4, 4).to_sparse(), torch.rand(3, 4, 4, device="meta"), torch.zeros(1, 3, 0, 4)],
    ids=["sparse", "meta", "empty"],
)
def test_tensors_without_pixels_are_refused(tensor: torch.Tensor) -> None:
    with pytest.raises(ImageError, match=r"a number for every pixel|at least one pixel"):
        read_picture(tensor)


def test_bytes_will_do_for_labels() -> None:
    """A label map of bytes is painted, written, resized and converted as one of int64 is."""
    classes = ClassSet("two", (LabelClass("a", (9, 0, 0)), LabelClass("b", (0, 7, 0))))
    wide = torch.tensor([[[0, 1, 1], [1, 0, 0]]])
    pictures = [Picture(labels, kind=Kind.LABELS, classes=classes) for labels in (wide, wide.to(torch.uint8))]
    for change in (
        lambda picture: picture.painted().tensor,
        lambda picture: convert(picture, Kind.IMAGE).tensor,
        lambda picture: torch.from_numpy(picture.numpy()),
        lambda picture: one_hot(picture.tensor, 2),
        lambda picture: resize(picture, (6, 4)).tensor.long(),
        lambda picture: torch.tensor(list(encode_picture(picture, ".png"))),
    ):
        assert torch.equal(*map(change, pictures))
    assert resize(pictures[1], (6, 4)).tensor.dtype == torch.uint8
    with pytest.raises(ImageError, match="class 7"):
        Picture(wide.to(torch.uint8) * 7, kind=Kind.LABELS, classes=classes)


@pytest.mark.parametrize(
    ("low", "high", "hint"),
    [
        (0, 255, "255. Divide by 255."),
        (0, 300, "300."),
        (-5, 200, "200."),
        (-1, 1, "1. Map [-1, 1] to it"),
        (-2, 1, "1."),
    ],
)
def test_floats_out_of_range_are_told_how_to_mend_them_where_it_is_clear(low, high, hint):
    with pytest.raises(ImageError) as caught:
        read_picture(torch.linspace(low, high, 48).reshape(3, 4, 4))
    before, _, after = str(caught.value).partition(f" to {hint}")
    assert before == f"Float pixels must lie in [0, 1]; these run from {low}"
    assert after in ("", ": (x + 1) / 2.")


@pytest.mark.parametrize(
    ("shape", "dtype", "labels"),
    [
        ((3, 4), torch.uint8, True),
        ((1, 3, 4), torch.int64, True),
        ((3, 4), torch.float32, False),
        ((3, 4), torch.bool, False),
        ((3, 3, 4), torch.uint8, False),
        ((1, 1, 3, 4), torch.uint8, False),
    ],
)
def test_one_plane_of_integers_is_a_label_map(shape, dtype, labels):
    assert holds_labels(torch.zeros(shape, dtype=dtype)) is labels
