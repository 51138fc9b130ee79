"""Hands: how the brush strokes of a dream are laid, drawn from its seed, so that dreams differ in mark too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from artkit.nn import LAYERS, Layer, lay_strokes, swirl_field
from artkit.seeds import mix_seeds

STREAM = 17
"""What tells the random numbers of a hand apart from those of its strokes."""
FINEST, COARSEST = 0.55, 1.6
"""How many times as wide as those of `artkit.nn.LAYERS` the strokes of the finest and the coarsest hand are."""
LONGEST = 5.0
"""How many times as long as wide the longest strokes are; the shortest are dots."""
TIGHTEST, WIDEST = 60, 400
"""How wide the eddies are that strokes follow, in pixels."""


@dataclass(frozen=True)
class Hand:
    """A way to lay strokes.

    `layers`: large strokes first; `eddies`: how wide the eddies are that strokes follow, in pixels; `drift`: what
    carries those (see `swirl_field`); `turn`: the angle, in radians, by which strokes lean from their contours.
    """

    layers: tuple[Layer, ...]
    eddies: int
    drift: float
    turn: float


def draw_hand(seed: int) -> Hand:
    """Draw a hand: fine or coarse, from dots to long strokes, in tight curls or straight, at any angle."""
    rng = torch.Generator().manual_seed(mix_seeds(seed, STREAM))
    fine, long, tight, drift, turn = torch.rand(5, generator=rng, dtype=torch.float64).tolist()
    size, ratio = FINEST * (COARSEST / FINEST) ** fine, LONGEST**long
    layers = tuple(_layer(layer, size, ratio) for layer in LAYERS)
    return Hand(layers, round(TIGHTEST * (WIDEST / TIGHTEST) ** tight), 2 * drift, math.pi * (turn - 0.5))


def lay_by_hand(height: int, width: int, seed: int, *, device: torch.device | None = None) -> Tensor:
    """Return strokes as `artkit.nn.stroke_noise` does (11, H, W), laid by the hand of the seed."""
    hand = draw_hand(seed)
    theta = swirl_field(height, width, seed, hand.eddies, hand.drift, device) + hand.turn
    return lay_strokes(theta, seed, hand.layers)


def _layer(layer: Layer, size: float, ratio: float) -> Layer:
    """Return a layer of strokes `size` times as wide and `ratio` times as long as wide, as dense on the canvas."""
    width = layer.width * size
    shrink = math.sqrt(ratio * layer.width / layer.length)  # strokes of less area lie closer
    return Layer(max(round(layer.cell * size * shrink), 2), ratio * width, width, layer.density, layer.spread)
