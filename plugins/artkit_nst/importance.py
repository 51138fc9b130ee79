"""Where a photo has something to say: saliency, its contrast; importance, the fine detail that must stay legible."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit_nst.colour import luma
from artkit_nst.pyramid import blur, resize

FLOOR = 0.05  # even a flat sky holds on to the photo a little
FAINT = 0.01  # contrast below this is noise, however flat the rest is
SIDE = 384  # long side at which importance is found: faces are known by what is fine beside the whole
FINE = (1.0, 2.0)  # sigmas at which corners are looked for there, in pixels
NEAR, FAR = 8.0, 40.0  # sigmas of a place and of its surroundings: eyes and mouth make one face, leaves a whole wood


def saliency(picture: Tensor) -> Tensor:
    """Return 1HW in [FLOOR, 1]: the contrast of CHW around each pixel against its own 85th percentile.

    After the content weights of Elad and Milanfar 2017 ("Style transfer via texture synthesis", section III.E).
    """
    lightness = luma(picture)
    contrast = blur((lightness - blur(lightness, 4)).square(), 1.5).clamp(min=0).sqrt()
    return (contrast / max(_percentile(contrast, 0.85), FAINT)).clamp(FLOOR, 1)


def find_importance(picture: Tensor) -> Tensor:
    """Return 1HW in [0, 1]: how much more fine, cornered detail CHW has around each pixel than further around it.

    Corners are those of Shi and Tomasi 1994 ("Good features to track"): eyes, mouths and letters have them, long edges
    do not. The difference of a place from its surroundings is that of Itti et al. 1998 ("A model of saliency-based
    visual attention for rapid scene analysis"): leaves and grass are cornered too, but so is all around them.
    """
    size = (picture.shape[-2], picture.shape[-1])
    factor = min(1.0, SIDE / max(size))
    small = resize(luma(picture), (max(1, round(size[0] * factor)), max(1, round(size[1] * factor))))
    found = torch.stack([_corners(small, sigma) for sigma in FINE]).amax(0)
    cornered = (found / max(_percentile(found, 0.92), FAINT)).clamp(max=1)
    apart = (blur(cornered, NEAR) - _surroundings(cornered)).clamp(min=0)
    return resize((apart / max(_percentile(apart, 0.92), 0.05)).clamp(max=1), size).clamp(0, 1)


def _corners(lightness: Tensor, sigma: float) -> Tensor:
    """Return the root of the lesser eigenvalue of the structure tensor at each pixel of 1HW: contrast both ways."""
    smooth = blur(lightness, sigma)
    down = sigma * (smooth - smooth.roll(1, 1))
    across = sigma * (smooth - smooth.roll(1, 2))
    down[:, 0], across[:, :, 0] = 0, 0
    yy, xx, xy = blur(torch.cat([down * down, across * across, down * across]), 1.5 * sigma)[:, None]
    return ((yy + xx - ((yy - xx).square() + 4 * xy.square()).sqrt()) / 2).clamp(min=0).sqrt()


def _surroundings(values: Tensor) -> Tensor:
    """Return 1HW blurred by FAR; at a quarter of the size, where that is cheap and no different."""
    size = (values.shape[-2], values.shape[-1])
    small = resize(values, (-(-size[0] // 4), -(-size[1] // 4)))
    return resize(blur(small, FAR / 4), size)


def _percentile(values: Tensor, share: float) -> float:
    """Return the percentile of at most 100,000 evenly spread values: sorting millions would tell no more."""
    flat = values.flatten()
    return float(torch.quantile(flat[:: -(-len(flat) // 100_000)].float(), share))
