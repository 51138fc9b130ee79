"""What a picture shall be like at one size of the pyramid: the photo in the style's colours, and maps of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from artkit_nst.importance import saliency
from artkit_nst.pyramid import resize
from artkit_nst.structure import form_contrast, structure


@dataclass(frozen=True)
class Maps:
    """Maps of a photo: its regions (RHW, adding up to 1), and how much of it is to be kept where (1HW in [0, 1])."""

    regions: Tensor | None = None
    importance: Tensor | None = None


@dataclass(frozen=True)
class Level:
    """What a picture of one size shall be like: the photo in the style's colours, and maps (1HW in [0, 1]) of it.

    `weight` says where it counts, `importance` where it must stay legible, `structure` where it has objects; `regions`
    is RHW.
    """

    size: tuple[int, int]
    goal: Tensor
    weight: Tensor
    importance: Tensor
    structure: Tensor
    regions: Tensor | None

    def towards(self, picture: Tensor, share: float, most: float) -> Tensor:
        """Bring a picture nearer to the goal: by `share` where that counts, and by `most` where it is important."""
        usual = share * self.weight
        return picture + (usual + (most - usual).clamp(min=0) * self.importance) * (self.goal - picture)


def make_level(goal: Tensor, maps: Maps, size: tuple[int, int], calm: float) -> Level:
    """Return the level of a photo in the style's colours (CHW); `calm` is the style's contrast where it is calmest."""
    small, given = resize(goal, size), maps.importance
    return Level(
        size,
        small,
        weight=saliency(small),
        importance=torch.zeros_like(small[:1]) if given is None else resize(given, size).clamp(0, 1),
        structure=structure(form_contrast(small), calm),
        regions=None if maps.regions is None else resize(maps.regions, size),
    )
