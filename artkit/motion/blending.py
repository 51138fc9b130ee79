"""Blending the pictures of a clip along its motion, so that what a method makes of each frame anew stands still."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.motion.tracking import Motion
from artkit.motion.warping import sample, warp


def blend(pictures: Sequence[Tensor], motion: Motion, amount: float) -> Tensor:
    """Return the last of `pictures` (each 1CHW in [0, 1], in order) blended with those before it, along the motion.

    With G the pictures, and W_k the picture k frames before as it has moved since,

        O_t = (G_t + sum_k w_k W_k(G_(t-k))) / (1 + sum_k w_k),    w_k = s^k M_k exp(-alpha |I_t - W_k(I_(t-k))|²)

    `amount`, s, is 0 to 1. The weights are Lai et al.'s (2018, equation 2), M the test of Ruder et al. (2016): see
    `artkit.motion.visible`. They, as Bonneel et al. ("Blind video temporal consistency", 2015), blend with the *output*
    before, which is steadier at the same weight, but is interpolated again and again until it is soft, and makes a
    frame depend on all before it. Here each picture is moved once, and a frame depends on `HISTORY` pictures.
    """
    *before, now = pictures
    size = now.shape[-2:]
    y, x = (torch.arange(side, device=now.device) + 0.5 for side in size)
    change, weights = torch.zeros_like(now), torch.ones_like(now[:, :1])
    for back, (picture, earlier) in enumerate(zip(reversed(before), motion.earlier, strict=False), 1):
        if picture.shape != now.shape:
            break
        moved = warp(picture[0], sample(earlier.back.to(now), y, x, (size[0], size[1])), mode="bicubic")
        weight = amount**back * F.interpolate(earlier.weight[None, None].to(now), size, mode="bilinear")
        change += weight * (moved - now)
        weights += weight
    return (now + change / weights).clamp(0, 1)
