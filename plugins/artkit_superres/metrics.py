"""PSNR and SSIM as super-resolution papers report them: of luma, in 8 bits, without the border."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from artkit import DataError
from artkit.metrics import psnr, ssim
from artkit.metrics.pairs import Pictures, as_images, mean_over_pairs

BORDER = 4  # px: the largest scale; papers cut as many pixels as they enlarge times
LUMA = (65.481, 128.553, 24.966)  # ITU-R BT.601 as MATLAB's rgb2ycbcr: 16 to 235 for black to white
BLACK = 16.0


def psnr_y(a: Pictures, b: Pictures, border: int = BORDER) -> float:
    """Return the mean PSNR of luma in dB: colours rounded to 8 bits, luma not, peak 255, `border` pixels cut off."""
    return mean_over_pairs(partial(_score, psnr, border), as_images(a), as_images(b))


def ssim_y(a: Pictures, b: Pictures, border: int = BORDER) -> float:
    """Return the mean SSIM of luma, prepared as for `psnr_y`; the windows are those of `artkit.metrics.ssim`."""
    return mean_over_pairs(partial(_score, ssim, border), as_images(a), as_images(b))


def luma(image: Tensor) -> Tensor:
    """Return the luma of 3HW in [0, 1], rounded to 8 bits first: HW, 16 to 235."""
    colours = (image.clamp(0, 1) * 255).round().double() / 255
    return torch.einsum("c,chw->hw", torch.tensor(LUMA, dtype=torch.float64), colours) + BLACK


def _score(score: Callable[[Pictures, Pictures], float], border: int, a: Tensor, b: Tensor) -> float:
    if min(a.shape[-2:]) <= 2 * border:
        raise DataError(f"this score cuts a border of {border} pixels: pictures must be larger than {2 * border}.")
    planes = [luma(image)[border:-border, border:-border].expand(3, -1, -1) / 255 for image in (a, b)]
    return score(planes[:1], planes[1:])
