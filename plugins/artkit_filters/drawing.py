"""Filters that draw a picture anew: as lines, as patches."""

from __future__ import annotations

import numpy as np

from artkit_filters import SPECS
from artkit_filters.arrays import LUMA, ArrayFilter
from artkit_filters.options import EdgesOptions, SuperpixelsOptions


class Edges(ArrayFilter):
    """Canny's edges of the luma, one pixel wide (Canny, "A computational approach to edge detection", 1986).

    Black on white, as in the pairs that pix2pix's edges2shoes and edges2handbags learned from.
    """

    spec = SPECS["edges"]
    options: EdgesOptions

    def filter(self, array: np.ndarray) -> np.ndarray:
        """Draw (H, W, 3) as lines (H, W)."""
        from skimage.feature import canny

        grey = array @ np.array(LUMA, array.dtype)
        lines = canny(grey, self.options.sigma, self.options.low, self.options.high)
        return (lines if self.options.invert else ~lines).astype(array.dtype)


class Superpixels(ArrayFilter):
    """SLIC: clusters of near and alike pixels (Achanta et al., "SLIC superpixels", 2012)."""

    spec = SPECS["superpixels"]
    options: SuperpixelsOptions

    def filter(self, array: np.ndarray) -> np.ndarray:
        """Paint (H, W, 3) in patches."""
        from skimage.segmentation import slic

        patches = slic(array, self.options.count, self.options.compactness, channel_axis=2, start_label=0)
        sizes = np.bincount(patches.ravel())
        sums = [np.bincount(patches.ravel(), array[:, :, channel].ravel()) for channel in range(3)]
        return (np.stack(sums, 1) / np.maximum(sizes, 1)[:, None])[patches].astype(array.dtype)
