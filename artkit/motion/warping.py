"""Moving pictures by displacements.

A displacement is a float tensor (2, H, W) of pixels down and right: `warp(before, back)` shows at each pixel what lay
in the frame before at that pixel plus `back`. All fields are float tensors (..., H, W).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

_AROUND = 2  # pixels that bicubic interpolation looks beyond a place


def warp(
    picture: Tensor, flow: Tensor, *, mode: Literal["bilinear", "bicubic"] = "bilinear", wrap: bool = False
) -> Tensor:
    """Return `picture` (C, H, W) read at each pixel plus `flow` (2, H, W), in pixels.

    Beyond its border the border is repeated, or with `wrap` what lies at the other end. Bicubic interpolation blurs
    less, and may overshoot. Where nothing moves the picture comes back as it is, bit for bit.
    """
    if not bool(flow.any()):
        return picture
    height, width = picture.shape[-2:]
    down, right = (torch.arange(side, device=flow.device, dtype=flow.dtype) for side in (height, width))
    y, x = down.view(-1, 1) + flow[0], right + flow[1]
    if not wrap:
        return _read(picture, y, x, mode)
    padded = F.pad(picture[None], (_AROUND,) * 4, mode="circular")[0]
    return _read(padded, y % height + _AROUND, x % width + _AROUND, mode)


def _read(picture: Tensor, y: Tensor, x: Tensor, mode: str) -> Tensor:
    """Return `picture` (C, h, w) at the pixels (`y`, `x`), each (H, W), its border repeated outwards."""
    height, width = picture.shape[-2:]
    grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), -1)
    return F.grid_sample(picture[None], grid[None].to(picture), mode, "border", align_corners=False)[0]


def compose(flow: Tensor, earlier: Tensor) -> Tensor:
    """Return where each pixel was two frames ago: by `flow` in the frame before, and from there by `earlier`."""
    return flow + warp(earlier, flow)


def sample(flow: Tensor, y: Tensor, x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return `flow` (2, h, w), of a picture of `size` (H, W) that was made smaller, at rows `y` and columns `x` of it.

    The result, (2, len(y), len(x)), is in pixels of the picture. Outside the picture things move as at its border.
    """
    height, width = size
    grid = torch.stack(
        ((2 * x / width - 1).expand(len(y), -1), (2 * y / height - 1).view(-1, 1).expand(-1, len(x))), -1
    )
    read = F.grid_sample(flow[None], grid[None], "bilinear", "border", align_corners=False)[0]
    return read * read.new_tensor([height / flow.shape[-2], width / flow.shape[-1]]).view(2, 1, 1)
