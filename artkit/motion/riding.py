"""Strokes that ride on the motion: random fields that were laid on an earlier frame, carried to where its things are.

A field that is the same for every frame stands still on the screen while things move behind it, as if seen through a
shower door; one drawn anew flickers. Meier ("Painterly rendering for animation", 1996) fastens strokes to the things,
Litwinowicz ("Processing images and video for an impressionist effect", 1997) moves them by optical flow. Flow leads
astray after some time, stretches strokes, and knows nothing of what comes into view; so strokes are laid anew now and
then, on a new anchor, and take over one by one, not all at once, as the fields of Bousseau, Neyret, Thollot, Salesin
("Video watercolorization using bidirectional texture advection", 2007) do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from artkit.motion.tracking import Anchor
from artkit.motion.visibility import outside
from artkit.motion.warping import sample, warp


@dataclass(frozen=True)
class Ride:
    """What a translator lays the strokes of one frame by: on which anchors, and how they have moved since.

    `share` of them are laid on the first anchor, the newest. `size` is the (height, width) of the picture that a step
    gets, without the `margin` of its size rule.
    """

    anchors: tuple[Anchor, ...]
    share: float
    size: tuple[int, int] = (1, 1)
    margin: int = 0

    def carry(self, fields: Sequence[Tensor], chance: Tensor, *, step: int = 1, margin: int = 0) -> Tensor:
        """Return the field (C, H, W) of this frame, of the `fields` that were laid on the anchors.

        `chance` (H, W), [0, 1), tells the strokes of the newest apart: those below `share` are there. A field's pixel
        is `step` pixels of the picture wide, and `margin` more of these lie before the picture's first. What comes into
        view has the strokes that left at the other side.
        """
        moves = [self._moves(anchor, fields[0], step, self.margin + margin) for anchor in self.anchors]
        pairs = zip(fields, moves, strict=True)  # places need float32: in bf16 there is no pixel 257
        moved = [warp(field.float(), move, mode="bicubic", wrap=True).to(field) for field, move in pairs]
        if len(moved) == 1:
            return moved[0]
        taken = _nearest(chance, moves[0]) < self.share
        return torch.where(taken | outside(moves[1]), moved[0], moved[1])

    def _moves(self, anchor: Anchor, field: Tensor, step: int, margin: int) -> Tensor:
        """Return by how many of its own pixels each pixel of a field is to be read elsewhere (2, H, W)."""
        y, x = ((torch.arange(side, device=field.device) + 0.5) * step - margin for side in field.shape[-2:])
        return sample(anchor.back.to(field.device), y, x, self.size) / step


def _nearest(field: Tensor, move: Tensor) -> Tensor:
    """Return `field` (H, W) read at each pixel plus `move`, of the nearest pixel: values are not mixed."""
    height, width = field.shape
    y = torch.arange(height, device=field.device).view(-1, 1) + move[0]
    x = torch.arange(width, device=field.device) + move[1]
    return field[y.round().long() % height, x.round().long() % width]
