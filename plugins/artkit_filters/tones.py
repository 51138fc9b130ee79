"""Filters that change colours, each pixel by itself or by the histogram."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, Translator
from artkit_filters import SPECS
from artkit_filters.arrays import LUMA, to_array, to_tensor
from artkit_filters.options import EqualiseOptions, GammaOptions, PosteriseOptions

BINS = 256


class Grey(Translator):
    """Three channels of BT.709 luma."""

    spec = SPECS["grey"]

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Take the colours out of N3HW."""
        weights = image.new_tensor(LUMA)[:, None, None]
        return (image * weights).sum(1, keepdim=True).expand_as(image)


class Gamma(Translator):
    """A power of the sRGB values."""

    spec = SPECS["gamma"]
    options: GammaOptions

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Lighten or darken N3HW."""
        return image.pow(self.options.power)


class Posterise(Translator):
    """Levels at equal distances, black and white among them."""

    spec = SPECS["posterise"]
    options: PosteriseOptions

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Round N3HW to its levels."""
        steps = self.options.levels - 1
        return image.mul(steps).round().div(steps)


class Match(Translator):
    """Each channel's values in their order, with the reference's histogram; scikit-image's `match_histograms`."""

    spec = SPECS["match"]

    def translate(self, context: Context, *, image: Tensor, reference: Tensor) -> Tensor:
        """Match N3HW to N3hw."""
        from skimage.exposure import match_histograms

        pairs = zip(image.split(1), reference.split(1), strict=True)
        matched = [match_histograms(to_array(one), to_array(other), channel_axis=2) for one, other in pairs]
        return torch.cat([to_tensor(array, image) for array in matched])


class Equalise(Translator):
    """Contrast-limited histogram equalisation of the HSV value; hue and saturation stay (Zuiderveld, "Contrast limited
    adaptive histogram equalization", Graphics Gems IV, 1994).

    One mapping for the whole picture, or one for each tile with the pixels between tiles interpolated. A histogram is
    cut at `limit` - 1 times its mean and the rest, at most one mean, spread evenly: no contrast grows more than `limit`
    times. Values between bins are interpolated too, unlike in scikit-image, so 16-bit pictures keep their levels.
    """

    spec = SPECS["equalise"]
    options: EqualiseOptions

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Equalise N3HW."""
        value = image.amax(1, keepdim=True)
        even = torch.cat([self._equalised(plane) for plane in value.split(1)])
        return torch.where(value > 0, image * (even / value.clamp(min=1e-9)), even)

    def _equalised(self, value: Tensor) -> Tensor:
        """Map a plane 11HW through the curves of the tiles around each pixel."""
        height, width = value.shape[-2:]
        tiles = self.options.tiles if self.options.adaptive else 1
        down, across = min(tiles, height), min(tiles, width)
        rows = _tile_places(height, down, value)[:, None].expand(height, width)
        columns = _tile_places(width, across, value)[None].expand(height, width)
        curves = self._curves(value, down, across)
        places = torch.stack((columns, rows, value[0, 0] * 2 - 1), -1)
        return F.grid_sample(curves, places[None, None], padding_mode="border", align_corners=True)[:, 0]

    def _curves(self, value: Tensor, down: int, across: int) -> Tensor:
        """Return each tile's cumulative histogram at the edges of the bins: 1, 1, BINS + 1, down, across."""
        height, width = value.shape[-2:]
        rows = torch.arange(height, device=value.device) * down // height
        columns = torch.arange(width, device=value.device) * across // width
        tile = rows[:, None] * across + columns
        bins = value[0, 0].mul(BINS).long().clamp(0, BINS - 1)
        counts = torch.bincount((tile * BINS + bins).flatten(), minlength=down * across * BINS)
        shares = counts.view(-1, BINS).double()
        shares = shares / shares.sum(1, keepdim=True)
        cut = shares.clamp(max=(self.options.limit - 1) / BINS)
        cut = cut + (1 - cut.sum(1, keepdim=True)) / BINS
        curves = F.pad(cut.cumsum(1), (1, 0)).T.reshape(1, 1, BINS + 1, down, across)
        return curves.to(value.dtype)


def _tile_places(side: int, tiles: int, like: Tensor) -> Tensor:
    """Return where each pixel of a side lies between the middles of its tiles: -1 at the first, 1 at the last."""
    middle = (torch.arange(side, device=like.device) + 0.5) * tiles / side - 0.5
    return (middle.clamp(0, tiles - 1) * 2 / max(tiles - 1, 1) - 1).to(like.dtype)
