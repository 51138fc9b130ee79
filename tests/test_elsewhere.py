"""What is computed lies where its input lies: tried with a default device that holds no numbers at all."""

from __future__ import annotations

import pytest
import torch

from artkit.images import Picture, match_palette, one_hot, paint_labels, read_picture, resize_image, resize_labels
from artkit.images.conversion import convert
from artkit.images.labels import nearest_palette
from artkit.spec import ClassSet, Kind, LabelClass

TWO = ClassSet("two", (LabelClass("dark", (10, 20, 30)), LabelClass("light", (200, 210, 220))))
MAP = torch.tensor([[[0, 1, 1, 0, 1], [1, 1, 0, 0, 1]]])
PHOTO = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
BYTES = (PHOTO * 255).to(torch.uint8)
WORK = {
    "one-hot": lambda: one_hot(MAP, 2),
    "painted": lambda: paint_labels(MAP, TWO),
    "matched": lambda: match_palette(PHOTO, TWO)[0],
    "nearest": lambda: nearest_palette(PHOTO, TWO),
    "labels resized": lambda: resize_labels(MAP, (3, 9)),
    "image resized": lambda: resize_image(PHOTO, (3, 9)),
    "read": lambda: read_picture(BYTES).tensor,
    "levels": lambda: torch.from_numpy(read_picture(BYTES).levels(8)),
    "a mask": lambda: convert(Picture(PHOTO), Kind.MASK).tensor,
    "read by its colours": lambda: convert(Picture(paint_labels(MAP, TWO)), Kind.LABELS, TWO).tensor,
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_pictures_stay_where_they_are(work):
    expected = work()
    with torch.device("meta"):
        found = work()
    assert found.device == expected.device
    assert torch.equal(found, expected)
