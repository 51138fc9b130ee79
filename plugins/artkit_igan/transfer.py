"""Carry a change of a small picture over to the photo it stands for, which keeps its details.

Brock et al. 2016, section 2: what the generator changed is added to the photo, as strongly as it is a change, so that
errors of the reconstruction stay out. Ours: any size, and nothing further from the strokes than is asked for.
"""

from __future__ import annotations

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

CLEAR = 0.1
"""A change of so much, in [0, 1], is taken over whole; smaller ones in proportion."""
SOFT = 3
"""Pixels of the small picture that a change fades over."""


def carry_over(photo: Tensor, before: Tensor, after: Tensor, near: Tensor | None) -> Tensor:
    """Return a photo, N3HW, with the change of a small picture, N3hw, `before` to `after`, all in [0, 1].

    `near`, N1hw, says how much of the change each place takes; all of it when left out.
    """
    change = after - before
    amount = (change.abs().mean(1, keepdim=True) / CLEAR).clamp(max=1)
    amount = F.avg_pool2d(F.pad(amount, (SOFT // 2,) * 4, mode="replicate"), SOFT, 1)
    change = change * amount if near is None else change * amount * near
    return photo + F.interpolate(change, size=photo.shape[-2:], mode="bilinear")


def nearness(mask: Tensor, reach: float) -> Tensor | None:
    """Return how near each place, N1hw, is to where a mask is: 1 half of the reach away, 0 from there on and beyond.

    `reach` is a share of the sides; None stands for places that are all near, where it is 1.
    """
    if reach >= 1:
        return None
    far = max(reach * max(mask.shape[-2:]), 1.0)
    away = [torch.from_numpy(distance_transform_edt(one.float().numpy(force=True) <= 0)) for one in mask[:, 0]]
    return (2 * (1 - torch.stack(away)[:, None].to(mask) / far)).clamp(0, 1)
