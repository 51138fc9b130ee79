"""Strokes painted from no picture: the noise z that a network sees, as the painter it learns from laid them."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.nn.contours import enlarge_orientations, follow_contours
from artkit.nn.fields import TensorCache
from artkit.nn.strokes import LAYERS, Layer, bristles, rasterise, scatter, swirl_field

SWIRL = 160
"""How wide the eddies are that strokes follow, in pixels."""

_KEPT = TensorCache(256 * 2**20)  # bytes: the 19 channels of a 1024×1024 painting three times over


def stroke_noise(
    height: int,
    width: int,
    seed: int,
    layers: tuple[Layer, ...] = LAYERS,
    *,
    centres: bool = False,
    scale: int = 1,
    along: Tensor | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """Return the canvas of `layers` painted from no picture: noise z (11, H, W) in [-1, 1], float32 on `device`.

    Three channels after each layer (the visible stroke's value and hue, and the height of the paint), then cos and
    sin of twice the orientation. Whatever a layer leaves bare shows the layer below. Defined in pixels, not in shares
    of the picture: strokes are as large on any picture. With `scale`, which divides the sides, they are the strokes of
    a picture so many times smaller, enlarged: each lies at the same place of the picture.

    With `centres` two channels a layer follow: how many pixels down and right the centre of the visible stroke lies.
    Strokes follow the contours of the picture `along` (C, H, W; as many times smaller as `scale` says); without one,
    a swirl. Those are drawn once and kept: pictures of one size and seed, as those of a folder are, share them. On
    another device than the CPU sines are rounded otherwise: a few pixels at the strokes' borders differ.
    """
    device = device or torch.device("cpu")
    if along is not None:
        size = (height // scale, width // scale)
        swirl = _KEPT.get((*size, seed, device), lambda: swirl_field(*size, seed, SWIRL, device=device))
        theta = follow_contours(swirl, along.to(device, torch.float32))
        theta = theta if scale == 1 else enlarge_orientations(theta, scale)
        return lay_strokes(theta, seed, layers, centres=centres, scale=scale)
    key = (height, width, seed, layers, centres, scale, device)

    def draw() -> Tensor:
        theta = swirl_field(height, width, seed, SWIRL * scale, device=device)
        return lay_strokes(theta, seed, layers, centres=centres, scale=scale)

    return _KEPT.get(key, draw)


def lay_swirls(
    height: int, width: int, seed: int, scale: int, along: Tensor | None, *, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Return `stroke_noise` that follows a swirl, whatever the picture `along` shows, for `WorkingResolution.draw`."""
    return stroke_noise(height, width, seed, scale=scale, device=device).to(dtype)


def lay_strokes(
    theta: Tensor, seed: int, layers: tuple[Layer, ...] = LAYERS, *, centres: bool = False, scale: int = 1
) -> Tensor:
    """Return what `stroke_noise` does, of strokes that run along `theta` (H, W), clockwise from the x axis."""
    device, (height, width) = theta.device, theta.shape
    noise = torch.empty(3 * len(layers) + 2 + 2 * centres * len(layers), height, width, device=device)
    *canvases, orientation = noise[: 3 * len(layers) + 2].split(3)
    offsets = noise[3 * len(layers) + 2 :].split(2)
    torch.stack(((2 * theta).cos(), (2 * theta).sin()), out=orientation)
    canvas, away = theta.new_zeros(3, 1, 1), theta.new_zeros(2, 1, 1)
    for number, layer in enumerate(layers):
        strokes = scatter(layer.enlarged(scale), height, width, seed, number, device)
        raster = rasterise(strokes, theta)
        painted = (raster.spread(strokes.value), raster.spread(strokes.hue), 2 * bristles(strokes, raster) - 1)
        canvas = _over(canvas, painted, raster.covered, out=canvases[number])
        if centres:
            down, across = (torch.arange(side, device=device) for side in (height, width))
            distance = (raster.spread(strokes.y) - down.view(-1, 1), raster.spread(strokes.x) - across)
            away = _over(away, distance, raster.covered, out=offsets[number])
    return noise


def _over(below: Tensor, laid: tuple[Tensor, ...], covered: Tensor, out: Tensor) -> Tensor:
    """Write what is laid, plane by plane, over what lies below, where it covers."""
    share = covered.float()  # at 0 and at 1 a mixture is exact, and made in a quarter of the time of choosing
    for plane, ground, result in zip(laid, below, out, strict=True):
        torch.lerp(ground, plane, share, out=result)
    return out
