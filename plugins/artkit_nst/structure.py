"""Structure: how much goes on in a place beside the calmest places of a style, so that objects stay out of skies."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from artkit_nst.pyramid import blur

FORMS = (1.5, 5.0)  # sigmas between which forms lie, in pixels: finer ones are brushwork, coarser ones light and shade
CALM = 0.25  # share of a style that is taken for its background
OCTAVES = 2.0  # four times the contrast of the background is an object
FAINT = 0.005  # contrast below this is flat, however flat the rest is


def form_contrast(picture: Tensor) -> Tensor:
    """Return 1HW: the standard deviation, over colours and surroundings, of the forms around each pixel of CHW."""
    finer, coarser = FORMS
    forms = blur(picture, finer) - blur(picture, coarser)
    return blur(forms.square().mean(0, keepdim=True), coarser / 1.5).clamp(min=0).sqrt()


def calm_contrast(contrast: Tensor) -> float:
    """Return what 1HW has in its calmest quarter, and what noise has at least."""
    return max(float(contrast.flatten().kthvalue(max(1, round(CALM * contrast.numel()))).values), FAINT)


def structure(contrast: Tensor, calm: float) -> Tensor:
    """Return 1HW in [0, 1]: 0 where there is no more contrast than `calm`, 1 where there is four times as much."""
    return (contrast.clamp(min=1e-6) / calm).log2().div(OCTAVES).clamp(0, 1)


def highest(values: Tensor, side: int, stride: int = 1) -> Tensor:
    """Return the highest value of 1HW in every window of `side` pixels, `stride` apart, (rows, columns).

    A patch is what is in it: the mean would make an object vanish in a large one.
    """
    rows = F.max_pool2d(values[None], (side, 1), (stride, 1))
    return F.max_pool2d(rows, (1, side), (1, stride))[0, 0]
