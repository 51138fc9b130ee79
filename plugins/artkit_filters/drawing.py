"""Filters that draw a picture anew: as lines, as patches."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from artkit import Context, Translator
from artkit_filters import SPECS
from artkit_filters.arrays import ArrayFilter
from artkit_filters.canny import find_edges
from artkit_filters.options import EdgesOptions, SuperpixelsOptions


class Edges(Translator):
    """Canny's edges of the luma, one pixel wide (Canny, "A computational approach to edge detection", 1986).

    Black on white, as in the pairs that pix2pix's edges2shoes and edges2handbags learned from.
    """

    spec = SPECS["edges"]
    options: EdgesOptions

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Draw N3HW as lines, three equal channels."""
        wanted = self.options
        planes = image.float().numpy(force=True)
        lines = np.stack([find_edges(picture, wanted.sigma, wanted.low, wanted.high) for picture in planes])
        return torch.from_numpy(lines if wanted.invert else ~lines)[:, None].to(image).expand_as(image)


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
