"""Pictures that are large and yet few bytes, at the limit and past it."""

from __future__ import annotations

import pytest
import torch

from artkit.errors import ImageError
from artkit.images import Picture, encode_picture, read_picture


def test_large_pictures_of_few_bytes_past_the_limit_and_at_it(monkeypatch):
    data = encode_picture(Picture(torch.zeros(1, 3, 30, 50)), ".png")
    monkeypatch.setattr("artkit.images.decoding.MAX_UNFOLDING", 1500 / len(data))
    monkeypatch.setattr("artkit.images.decoding.LARGE", 1499)
    assert read_picture(data).size == (30, 50)
    monkeypatch.setattr("artkit.images.decoding.MAX_UNFOLDING", 1499 / len(data))
    with pytest.raises(ImageError) as caught:
        read_picture(data)
    assert str(caught.value) == (
        f"The picture would unfold from {len(data)} bytes to 50×30 pixels, which no photo, painting or label map does. "
        "If you trust it and have the memory, set ARTKIT_MAX_PIXELS=1500."
    )
    monkeypatch.setattr("artkit.images.decoding.LARGE", 1500)
    assert read_picture(data).size == (30, 50)
