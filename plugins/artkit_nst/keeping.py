"""Keeping the photo's own colours: painting only its lightness, or recolouring the painting."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from artkit_nst.colour import luma, moments, transport
from artkit_nst.keys import Source
from artkit_nst.scales import blur

SMEAR = 1.0  # sigma of the photo's colours, in pixels: strokes shall not show its every pixel


def keep_luminance(photo: Tensor, painted: Tensor) -> Tensor:
    """Make a painting of lightness (1HW) as light and contrasty as the photo (3HW), and put the photo's colours back.

    After Gatys et al. 2016 ("Preserving color in neural artistic style transfer", section 3.2). Differs in that the
    painting is fitted to the photo's lightness, not the style before it, so that a style is made ready once for all.
    """
    grey = luma(photo)
    painted = transport(painted, moments(painted), moments(grey))
    return (painted + blur(photo - grey, SMEAR)).clamp(0, 1)


def keep_palette(photo: Tensor, painted: Tensor) -> Tensor:
    """Carry a painting (3HW) over to the colours of the photo."""
    return transport(painted, moments(painted), moments(photo)).clamp(0, 1)


def grey_sources(sources: Sequence[Source]) -> list[Source]:
    """Return styles with their lightness alone (1HW)."""
    return [Source(luma(source.picture), source.share, source.regions) for source in sources]
