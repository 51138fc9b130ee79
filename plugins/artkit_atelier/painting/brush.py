"""Painting with separate strokes: oil, dots, chalk."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit.nn import blur
from artkit.nn.strokes import Raster, Strokes, bristles, rasterise, scatter, swirl_field
from artkit_atelier.painting.colour import heighten, stray
from artkit_atelier.painting.fields import bend_to_borders, detail, tooth
from artkit_atelier.painting.styles import StrokeStyle

_SLIP = 1.6  # pixels by which a stroke may run over a border


def paint_strokes(photo: Tensor, labels: Tensor, style: StrokeStyle, seed: int) -> Tensor:
    """Return a painting (3, H, W) of `photo` (3, H, W) in separate strokes; see `paint`."""
    _, height, width = photo.shape
    swirl = swirl_field(height, width, seed, style.scale, style.drift)
    theta = bend_to_borders(swirl, labels, style.follow)
    need = detail(photo, labels)
    palette = heighten(photo, style.vividness, style.contrast, style.light)
    canvas = _ground(palette, style)
    relief = torch.zeros(height, width)
    for number, layer in enumerate((*style.layers, *style.detail_layers)):
        strokes = scatter(layer, height, width, seed, number)
        raster = _keep_inside(_lay(strokes, theta, need), strokes, labels)
        colours = raster.spread(_mix(strokes, palette, style))
        thickness = bristles(strokes, raster)
        canvas = torch.lerp(canvas, colours, _opacity(thickness, style, seed))
        relief = torch.where(raster.covered, thickness, relief)
    return _light(canvas, relief, style)


def _ground(palette: Tensor, style: StrokeStyle) -> Tensor:
    """Return what the first strokes are laid on: a blurred underpainting that lets some of the canvas show."""
    canvas = torch.tensor(style.ground).view(3, 1, 1)
    return torch.lerp(blur(palette, 4.0), canvas, style.bare)


def _lay(strokes: Strokes, theta: Tensor, need: Tensor) -> Raster:
    """Return the strokes of one layer: denser and smaller where there is detail."""
    needed = strokes.at_centres(need)
    return rasterise(strokes, theta, strokes.layer.density + needed, 1 - 0.35 * needed)


def _keep_inside(raster: Raster, strokes: Strokes, labels: Tensor) -> Raster:
    """Return the raster with every stroke cut off where it leaves the thing that lies under its centre.

    The hand slips by up to `_SLIP` pixels, another way for each stroke, so that borders stay broken.
    """
    height, width = labels.shape
    slip_y, slip_x = raster.spread(torch.stack((strokes.value, strokes.hue))).mul(_SLIP).round().long()
    rows = (torch.arange(height).view(-1, 1) + slip_y).clamp(0, height - 1)
    columns = (torch.arange(width).view(1, -1) + slip_x).clamp(0, width - 1)
    inside = raster.spread(strokes.at_centres(labels)) == labels[rows, columns]
    return Raster(raster.covered & inside, raster.index, raster.along, raster.across)


def _mix(strokes: Strokes, palette: Tensor, style: StrokeStyle) -> Tensor:
    """Return the colour (3, rows, columns) of each stroke: the palette's under its centre, strayed from."""
    colour = strokes.at_centres(blur(palette, strokes.layer.width / 5))
    fleck = (strokes.hue.abs() > 1 - style.flecks) * strokes.hue.sign()
    turn = style.turn + style.hue * strokes.hue + style.fleck_turn * fleck
    return stray(colour, style.value * strokes.value, turn, style.warmth * strokes.value)


def _opacity(thickness: Tensor, style: StrokeStyle, seed: int) -> Tensor:
    """Return how much of what lies below the paint hides (H, W): thin paint at a stroke's rim lets it through."""
    body = (thickness * 4).clamp(0, 1)
    if not style.grain:
        return body
    height, width = thickness.shape
    return body * (1 - style.grain * tooth(height, width, seed))


def _light(canvas: Tensor, relief: Tensor, style: StrokeStyle) -> Tensor:
    """Return the canvas with its relief lit from the upper left."""
    soft = blur(relief[None], 0.7)[0]
    shade = torch.zeros_like(soft)
    shade[1:, 1:] = soft[1:, 1:] - soft[:-1, :-1]
    lit = canvas * (1 + style.relief * shade)
    lit = lit + 0.3 * style.relief * shade.clamp(min=0) * (1 - lit.clamp(0, 1))
    return blur(lit, 0.45)  # a stroke's rim is one pixel sharp: this takes the stairs off it
