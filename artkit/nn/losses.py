"""Adversarial losses on logits, and the two reconstruction losses that leave texture to the discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

GanMode = Literal["vanilla", "lsgan", "hinge"]


def discriminator_loss(real: Tensor | Sequence[Tensor], fake: Tensor | Sequence[Tensor], mode: GanMode) -> Tensor:
    """Half the sum of the losses on real and fake logits, averaged over scales.

    vanilla: Goodfellow et al. 2014; lsgan: Mao et al. 2017; hinge: Lim and Ye 2017. The half is Isola et al.'s
    (section 3.3).
    """
    pairs = list(zip(_scales(real), _scales(fake), strict=True))
    return sum((_judge(r, True, mode) + _judge(f, False, mode) for r, f in pairs), pairs[0][0].new_zeros(())) / (
        2 * len(pairs)
    )


def generator_loss(fake: Tensor | Sequence[Tensor], mode: GanMode) -> Tensor:
    """How far the discriminator is from taking fakes for real (non-saturating), averaged over scales."""
    scales = _scales(fake)
    if mode == "hinge":
        return -torch.stack([logits.float().mean() for logits in scales]).mean()
    return torch.stack([_judge(logits, True, mode) for logits in scales]).mean()


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean L1 distance of discriminator activations, all but the logits (Wang et al. 2018, eq. 4)."""
    gaps = [
        F.l1_loss(f.float(), r.detach().float())
        for real_scale, fake_scale in zip(real, fake, strict=True)
        for r, f in zip(real_scale[:-1], fake_scale[:-1], strict=True)
    ]
    return torch.stack(gaps).mean()


def lowpass_l1(output: Tensor, target: Tensor, cell: int) -> Tensor:
    """L1 distance of averages over `cell` x `cell` pixels: colour where it belongs, texture left free.

    A plain L1 (`cell=1`) averages what cannot be predicted, such as brush strokes, to mush.
    """
    if cell > 1:
        output, target = F.avg_pool2d(output, cell, ceil_mode=True), F.avg_pool2d(target, cell, ceil_mode=True)
    return F.l1_loss(output.float(), target.float())


def _scales(logits: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    return [logits] if isinstance(logits, Tensor) else logits


def _judge(logits: Tensor, real: bool, mode: GanMode) -> Tensor:
    logits = logits.float()
    if mode == "hinge":
        return F.relu(1 - logits if real else 1 + logits).mean()
    target = torch.full_like(logits, float(real))
    return (F.mse_loss if mode == "lsgan" else F.binary_cross_entropy_with_logits)(logits, target)
