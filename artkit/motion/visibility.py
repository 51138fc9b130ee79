"""Which pixels of a frame were seen in another: the tests of Ruder et al. and the likeness of Lai et al.

Ruder, Dosovitskiy, Brox, "Artistic style transfer for videos", GCPR 2016, section 3.2, after Sundaram, Brox, Keutzer,
"Dense point trajectories by GPU-accelerated large displacement optical flow", ECCV 2010. Lai et al., "Learning blind
video temporal consistency", ECCV 2018, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.motion.warping import warp

BOUNDARY = 0.05
"""Squared slopes of flow above this are borders of motion. The papers' 0.002 is for flow with sharp borders; that of
scikit-image is smooth, and bends everywhere a little."""

ALPHA = 50.0
"""How fast likeness fades with the squared difference of colours in [0, 1] (Lai et al.)."""


def visible(back: Tensor, forth: Tensor) -> Tensor:
    """Return (H, W): 1 where a pixel of the frame at hand was seen in the other one, else 0.

    `back` (2, H, W), u below, leads from the frame at hand to the other, and `forth`, v, from the other to this, in
    pixels. A pixel was hidden where the two do not lead back to it, |v(x + u) + u|² > 0.01 (|v(x + u)|² + |u|²) + 0.5,
    where x + u lies outside, and where motion has a border, |grad u|² > 0.01 |u|² + `BOUNDARY`.
    """
    returned = warp(forth, back)
    squared = back.square().sum(0)
    apart = (returned + back).square().sum(0) > 0.01 * (returned.square().sum(0) + squared) + 0.5
    border = _slopes(back) > 0.01 * squared + BOUNDARY
    return (~(apart | border | outside(back))).to(back)


def outside(back: Tensor) -> Tensor:
    """Return (H, W): where a displacement (2, H, W) leads out of the picture, by more than half a pixel."""
    height, width = back.shape[-2:]
    y = torch.arange(height, device=back.device).view(-1, 1) + back[0]
    x = torch.arange(width, device=back.device) + back[1]
    return (y < -0.5) | (y > height - 0.5) | (x < -0.5) | (x > width - 0.5)


def _slopes(flow: Tensor) -> Tensor:
    """Return the squared length of the gradients of both components (H, W), by central differences."""
    total = torch.zeros_like(flow[0])
    for one in flow:
        total[1:-1] += ((one[2:] - one[:-2]) / 2).square()
        total[:, 1:-1] += ((one[:, 2:] - one[:, :-2]) / 2).square()
    return total


def likeness(frame: Tensor, other: Tensor) -> Tensor:
    """Return exp(-alpha |frame - other|²) (H, W) of two pictures (3, H, W) in [0, 1], the other warped onto the first.

    The weight of Lai et al.: where a flow is wrong, or light changed, colours differ, and the pixel counts for less.
    """
    return (-ALPHA * (frame - other).square().sum(0)).exp()
