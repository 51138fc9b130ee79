"""Between batches of tensors and the single arrays that scikit-image works on."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artkit import Context, Translator

LUMA = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue in the lightness of a picture (ITU-R BT.709)."""


class ArrayFilter(Translator):
    """A filter that scikit-image computes, one picture after another: no picture sees the rest of its batch."""

    @abstractmethod
    def filter(self, array: np.ndarray) -> np.ndarray:
        """Filter one picture, float32 (H, W, 3) in [0, 1], to (H, W, 3) or (H, W)."""

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Filter N3HW."""
        return torch.cat([to_tensor(self.filter(to_array(picture)), image) for picture in image.split(1)])


def to_array(picture: Tensor) -> np.ndarray:
    """Return 13HW as an array (H, W, 3)."""
    return np.ascontiguousarray(picture[0].movedim(0, -1).float().numpy(force=True))


def to_tensor(array: np.ndarray, like: Tensor) -> Tensor:
    """Return an array (H, W, 3), or (H, W) in three equal channels, as 13HW of the device and type of `like`."""
    colours: Any = array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2)
    return torch.from_numpy(np.ascontiguousarray(colours)).movedim(-1, 0)[None].to(like)
