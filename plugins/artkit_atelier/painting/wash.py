"""Painting with wet washes: watercolour on rough paper."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import blur
from artkit.nn.strokes import generator, smooth_noise
from artkit_atelier.painting.colour import heighten
from artkit_atelier.painting.fields import tooth
from artkit_atelier.painting.styles import WashStyle

PAPER = (0.985, 0.975, 0.95)


def paint_washes(photo: Tensor, labels: Tensor, style: WashStyle, seed: int) -> Tensor:
    """Return a watercolour (3, H, W) of `photo` (3, H, W); see `paint`.

    Washes are laid thin: paint is density, and light passes it twice, so that colours multiply (Beer and Lambert).
    After Bousseau et al., "Interactive watercolor rendering with temporal coherence and abstraction" (NPAR 2006):
    colour times pigment density, which varies with turbulence, paper and the wash's edges.
    """
    _, height, width = photo.shape
    rng = generator(seed, 50)
    photo, labels = _wander(photo, labels, style.wobble, rng)
    wash = heighten(_flatten(photo, labels), style.vividness, style.contrast, style.light).clamp(0.02, 1)
    flow = 0.16 * smooth_noise(height, width, 48, rng) + 0.05 * smooth_noise(height, width, 14, rng)
    pools = style.pooling * _rims(wash, labels)
    grain = style.grain * (2 * tooth(height, width, seed) - 1)
    density = (0.9 + flow + pools + 1.2 * grain).clamp(0.15, 2.5)
    paper = torch.tensor(PAPER).view(3, 1, 1) * (1 - 0.25 * grain.clamp(min=0))
    return paper * wash**density


def _wander(photo: Tensor, labels: Tensor, wobble: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the picture and its labels with every border wandering by about `wobble` pixels."""
    height, width = labels.shape
    shift = torch.stack(
        [
            wobble * (0.7 * smooth_noise(height, width, 24, rng) + 0.4 * smooth_noise(height, width, 7, rng))
            for _ in range(2)
        ]
    )
    rows = (torch.arange(height).view(-1, 1) + shift[0]).round().long().clamp(0, height - 1)
    columns = (torch.arange(width).view(1, -1) + shift[1]).round().long().clamp(0, width - 1)
    return photo[:, rows, columns], labels[rows, columns]


def _flatten(photo: Tensor, labels: Tensor) -> Tensor:
    """Return the picture blurred inside each thing, never across a border, with some of its detail kept."""
    classes = F.one_hot(labels.long()).permute(2, 0, 1).float()
    flat = torch.zeros_like(photo)
    for mask in classes[classes.flatten(1).any(1)]:
        weighted, weight = blur(photo * mask, 5.0), blur(mask[None], 5.0)
        flat += mask * weighted / weight.clamp(min=1e-4)
    return 0.65 * flat + 0.35 * blur(photo, 0.8)


def _rims(wash: Tensor, labels: Tensor) -> Tensor:
    """Return where pigment pools (H, W): a thin dark rim just inside the borders of washes, light just beyond."""
    classes = F.one_hot(labels.long()).permute(2, 0, 1).float()
    inside = (blur(classes, 1.6) * classes).sum(0)
    luma = wash.mean(0, keepdim=True)
    tone = (blur(luma, 3.0) - blur(luma, 0.8))[0]
    return (1.6 * (1 - inside) + 2.0 * tone).clamp(-0.5, 1.2)
