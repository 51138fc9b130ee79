"""Filters on a pixel's surroundings: blur, sharpen, denoise."""

from __future__ import annotations

import numpy as np

from artkit_filters import SPECS
from artkit_filters.arrays import ArrayFilter
from artkit_filters.options import BlurOptions, DenoiseOptions, SharpenOptions


class Blur(ArrayFilter):
    """A Gaussian; the picture is mirrored at its borders."""

    spec = SPECS["blur"]
    options: BlurOptions

    def filter(self, array: np.ndarray) -> np.ndarray:
        """Blur (H, W, 3)."""
        from skimage.filters import gaussian

        return gaussian(array, self.options.sigma, mode="reflect", channel_axis=2)


class Sharpen(ArrayFilter):
    """An unsharp mask."""

    spec = SPECS["sharpen"]
    options: SharpenOptions

    def filter(self, array: np.ndarray) -> np.ndarray:
        """Sharpen (H, W, 3)."""
        from skimage.filters import unsharp_mask

        return unsharp_mask(array, self.options.radius, self.options.amount, channel_axis=2)


class Denoise(ArrayFilter):
    """Total variation (Chambolle 2004) or non-local means (Buades, Coll, Morel 2005)."""

    spec = SPECS["denoise"]
    options: DenoiseOptions

    def filter(self, array: np.ndarray) -> np.ndarray:
        """Denoise (H, W, 3)."""
        from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

        strength = self.options.strength
        if self.options.way == "tv":
            return denoise_tv_chambolle(array, strength, channel_axis=2)
        return denoise_nl_means(array, h=0.8 * strength, sigma=strength, patch_size=5, patch_distance=6, channel_axis=2)
