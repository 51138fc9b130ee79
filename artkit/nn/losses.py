"""Losses of generators and discriminators: the adversarial ones, R1, feature matching, and low-pass L1.

All are computed in float32, whatever the precision of the networks. Logits are one tensor, or one for each scale of a
multi-scale discriminator; losses are averaged over scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn.options import GanMode

Logits: TypeAlias = Tensor | Sequence[Tensor]
"""What a discriminator returns: logits of any shape, batch first, or a sequence of them, one for each scale."""


def discriminator_loss(real: Logits, fake: Logits, mode: GanMode) -> Tensor:
    """Return the discriminator's adversarial loss: low when `real` logits are high and `fake` ones low.

    vanilla: log D(y) + log(1 - D(G(x))) (Goodfellow et al. 2014, eq. 1); lsgan: Mao et al. 2017, eq. 2; hinge: Lim and
    Ye 2017, eq. 3; of these three it is half the sum over real and fake, as in Isola et al. 2017, section 3.3.
    relativistic: the real one should look more real than the fake one beside it (RpGAN, Jolicoeur-Martineau 2019,
    eq. 7), without the half.
    """
    pairs = list(zip(_scales(real), _scales(fake), strict=True))
    if mode == "relativistic":
        return torch.stack([F.softplus(f - r).mean() for r, f in pairs]).mean()
    return torch.stack([(_loss(r, True, mode) + _loss(f, False, mode)) / 2 for r, f in pairs]).mean()


def generator_loss(fake: Logits, mode: GanMode, real: Logits | None = None) -> Tensor:
    """Return the generator's adversarial loss: low when the discriminator takes fakes for real (non-saturating).

    `real`, the logits of the real ones, is what relativistic compares with, and needed there alone.
    """
    if mode == "relativistic":
        if real is None:
            raise ValueError("the relativistic loss of a generator needs the logits of real pictures, too")
        return discriminator_loss(fake, real, mode)
    if mode == "hinge":
        return -torch.stack([logits.mean() for logits in _scales(fake)]).mean()
    return torch.stack([_loss(logits, True, mode) for logits in _scales(fake)]).mean()


def gradient_penalty(logits: Logits, real: Tensor) -> Tensor:
    """Return R1: the squared gradient of the logits at real pictures (Mescheder et al. 2018, eq. 9, less gamma / 2).

    `logits` were computed from `real`, N ..., which requires a gradient. Logits of several places are averaged, those
    of several scales added.
    """
    total = torch.stack([scale.flatten(1).mean(1).sum() for scale in _scales(logits)]).sum()
    gradient = torch.autograd.grad(total, real, create_graph=True)[0]
    return gradient.square().flatten(1).sum(1).mean()


def is_penalty_due(every: int) -> bool:
    """Draw whether this step pays a lazy penalty: one step in `every` does, on average, and `every` times as much.

    After Karras et al. 2020, appendix B, who pay at regular steps.
    """
    return bool(torch.rand(()) < 1 / every)


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean L1 distance of discriminator activations, all but the logits (Wang et al. 2018, eq. 4)."""
    gaps = [
        F.l1_loss(f.float(), r.detach().float())
        for real_scale, fake_scale in zip(real, fake, strict=True)
        for r, f in zip(real_scale[:-1], fake_scale[:-1], strict=True)
    ]
    return torch.stack(gaps).mean()


def lowpass_l1(output: Tensor, target: Tensor, cell: int) -> Tensor:
    """L1 distance of averages over `cell` x `cell` pixels (low-pass): colour where it belongs, texture left free.

    A plain L1 (`cell=1`) averages what cannot be predicted, such as brush strokes, to mush.
    """
    if cell > 1:
        output, target = F.avg_pool2d(output, cell, ceil_mode=True), F.avg_pool2d(target, cell, ceil_mode=True)
    return F.l1_loss(output.float(), target.float())


def divergence_from_noise(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), in nats a number (Kingma and Welling 2014)."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


UNSEEN = 0.01
"""Contrast that nobody sees, about a level of 255."""
STROKE, NEIGHBOURHOOD = 9, 16  # px: what is no wider counts as texture, and over how wide a cell its strength is taken


def contrast_l1(output: Tensor, target: Tensor) -> Tensor:
    """L1 distance of log local contrast: how strong texture is in cells of 16 px, wherever in them it lies.

    Texture is what a blur over 9 px leaves; its strength is the root of its mean square. Twice as strong is as wrong as
    half as strong: a little relief on what should be smooth counts as much as strokes that are missing. Distances of
    pixels or of averages reward networks for rubbing strokes out. N C H W in [-1, 1] or [0, 1] to a number.
    """
    return F.l1_loss(_contrast(output.float()), _contrast(target.float()))


def _contrast(picture: Tensor) -> Tensor:
    blurred = F.avg_pool2d(picture, STROKE, 1, STROKE // 2, count_include_pad=False)
    return F.avg_pool2d((picture - blurred).square(), NEIGHBOURHOOD, ceil_mode=True).add(UNSEEN**2).log() / 2


def _scales(logits: Logits) -> list[Tensor]:
    return [scale.float() for scale in ([logits] if isinstance(logits, Tensor) else logits)]


def _loss(logits: Tensor, real: bool, mode: GanMode) -> Tensor:
    if mode == "hinge":
        return F.relu(1 - logits if real else 1 + logits).mean()
    target = torch.full_like(logits, float(real))
    return (F.mse_loss if mode == "lsgan" else F.binary_cross_entropy_with_logits)(logits, target)
