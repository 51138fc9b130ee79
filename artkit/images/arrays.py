"""Arrays and tensors from outside, checked and brought to the house's convention."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from artkit.errors import ImageError
from artkit.images.picture import Picture

_SLACK = 1e-3  # resampling overshoots a little; more than this is another value range


def picture_from_array(array: np.ndarray, stem: str = "picture") -> Picture:
    """Make an image of an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    uint8, uint16 (a 16-bit picture), bool, or floats in [0, 1]; the fourth channel is alpha. Raises ImageError.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        channels_first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        hint = " Channels come last: array.transpose(1, 2, 0)." if channels_first else ""
        raise ImageError(f"An array must be (H, W), (H, W, 3) or (H, W, 4), not {tuple(array.shape)}.{hint}")
    array = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])  # torch warns of arrays that it may not write
    if array.dtype not in (np.uint8, np.uint16, np.bool_) and array.dtype.kind != "f":
        raise ImageError(f"An array must be uint8, uint16, bool or float in [0, 1], not {array.dtype}.")
    return picture_from_tensor(torch.from_numpy(array).permute(2, 0, 1), stem)


def picture_from_tensor(tensor: Tensor, stem: str = "picture") -> Picture:
    """Make an image of a tensor (C, H, W) or (1, C, H, W), C one of 1, 3, 4; types as for `picture_from_array`."""
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim == 3:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim == 4 and tensor.shape[0] != 1:
        raise ImageError(f"A tensor of one picture is wanted, not a batch of {tensor.shape[0]}. Pass them one by one.")
    if tensor.ndim != 4 or tensor.shape[1] not in (1, 3, 4):
        raise ImageError(f"A tensor must be (3, H, W) or (1, 3, H, W), not {tuple(tensor.shape)}.")
    if 0 in tensor.shape:
        raise ImageError(f"A picture needs at least one pixel; this tensor is {tuple(tensor.shape)}.")
    bits = 16 if tensor.dtype == torch.uint16 else 8
    values = _unit_range(tensor)
    alpha = values[:, 3:].clone() if values.shape[1] == 4 else None
    colours = values.expand(1, 3, *values.shape[2:]) if values.shape[1] == 1 else values[:, :3]
    return Picture(colours.contiguous(), alpha=alpha, bits=bits, stem=stem)


def labels_from_tensor(tensor: Tensor) -> Tensor:
    """Bring integer labels (H, W) or (1, H, W) to int64 (1, H, W). Raises ImageError for another shape or type."""
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise ImageError(f"Labels are integers, one class index a pixel, not {_type_name(tensor)}.")
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim != 3 or tensor.shape[0] != 1:
        raise ImageError(f"Labels must be (H, W) or (1, H, W), not {tuple(tensor.shape)}.")
    return tensor.to(torch.int64)


def holds_labels(tensor: Tensor) -> bool:
    """Tell whether a tensor has the shape and type of labels, not of a picture."""
    one_plane = tensor.ndim == 2 or (tensor.ndim == 3 and tensor.shape[0] == 1)
    return one_plane and not tensor.is_floating_point() and tensor.dtype != torch.bool


def _unit_range(tensor: Tensor) -> Tensor:
    """Return float32 in [0, 1], in memory of its own."""
    if tensor.dtype in (torch.uint8, torch.uint16):
        # Channels are parted while they are small: parting floats takes several times as long.
        return tensor.contiguous().to(torch.float32).div_(torch.iinfo(tensor.dtype).max)
    if tensor.dtype == torch.bool:
        return tensor.to(torch.float32)
    if not tensor.is_floating_point():
        raise ImageError(f"A tensor must be uint8, uint16, bool or float in [0, 1], not {_type_name(tensor)}.")
    values = tensor.detach().to(torch.float32, copy=True)
    low, high = (float(value) for value in values.aminmax())
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # NaN fails too
        hint = " Divide by 255." if 1 < high <= 255 and low >= 0 else ""
        hint = " Map [-1, 1] to it: (x + 1) / 2." if -1 - _SLACK <= low < 0 and high <= 1 + _SLACK else hint
        raise ImageError(f"Float pixels must lie in [0, 1]; these run from {low:.4g} to {high:.4g}.{hint}")
    return values.clamp_(0, 1)


def _type_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
