"""The discriminators of cyclegan: patches of a picture, or of its detail, one verdict for each manner."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import MultiscaleDiscriminator, NormKind

BLUR, GAIN = 9, 6.0  # px; what the hand leaves is faint beside the colours of things


class Judge(MultiscaleDiscriminator):
    """Judge pictures of `channels` channels; with `manners`, whether a picture is of the manner shown with it.

    Manners have a map of logits each, of which the picture's own counts (as the styles' of StarGAN v2, Choi et al.
    2020): a judge that merely sees the manner as further channels takes long to heed it. With `detail` it sees what a
    blur of the picture leaves.
    """

    def __init__(
        self,
        channels: int,
        manners: int,
        widths: tuple[int, ...],
        layers: int,
        norm: NormKind,
        detail: bool,
        antialias: bool = False,
    ) -> None:
        super().__init__(channels, widths, layers, norm, answers=max(manners, 1), antialias=antialias)
        self.channels, self.detail = channels, detail

    def forward(self, shown: Tensor) -> list[Tensor]:
        """Map what `show` returned to each scale's patch logits, N 1 h w."""
        picture, told = shown[:, : self.channels], shown[:, self.channels :, :1, :1]
        verdicts = super().forward(detail(picture) if self.detail else picture)
        return [(verdict * told).sum(1, keepdim=True) for verdict in verdicts] if told.shape[1] else verdicts


def show(picture: Tensor, told: Tensor | None) -> Tensor:
    """Put the manner, one-hot N M, behind a picture as planes, so that a pool keeps both together."""
    if told is None:
        return picture
    return torch.cat([picture, told[:, :, None, None].expand(-1, -1, *picture.shape[-2:])], 1)


def detail(picture: Tensor) -> Tensor:
    """Return what a blur of `BLUR` px leaves of a picture, N C H W, `GAIN` times as strong."""
    return GAIN * (picture - F.avg_pool2d(picture, BLUR, 1, BLUR // 2, count_include_pad=False))
