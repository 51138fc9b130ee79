"""The step `extrapolate`: things go on as they moved. No network, and the bar that a predicted frame has to pass."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, Translator
from artkit.motion import LONGEST_SIDE, estimate_flow, sample, warp
from artkit_nextframe import EXTRAPOLATE, ExtrapolateOptions


class Extrapolate(Translator):
    """Each pixel moves on by as much as it moved since the frame before."""

    spec = EXTRAPOLATE
    options: ExtrapolateOptions

    def translate(self, context: Context, *, image: Tensor, before: Tensor) -> Tensor:
        """Show what is expected to follow."""
        return torch.stack([move_on(*pair, self.options.ahead) for pair in zip(image, before, strict=True)])


def move_on(now: Tensor, before: Tensor, ahead: int) -> Tensor:
    """Return the frame (3, H, W) that lies `ahead` frames after `now`, if all goes on as it came from `before`.

    A pixel shows what lay where it would have come from, were the motion at that place its own. Motion is estimated at
    `LONGEST_SIDE` pixels at most.
    """
    height, width = now.shape[-2:]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    small = max(2, round(height * scale)), max(2, round(width * scale))
    back = estimate_flow(*(F.interpolate(frame[None], small, mode="area")[0] for frame in (now, before)))
    y, x = (torch.arange(side, device=now.device) + 0.5 for side in (height, width))
    return warp(now, ahead * sample(back, y, x, (height, width)), mode="bicubic").clamp(0, 1)
