"""The named styles: what each one asks of the brush."""

from __future__ import annotations

from dataclasses import dataclass

from artkit.nn.strokes import LAYERS, Layer


@dataclass(frozen=True)
class Style:
    """A way to paint: its name and one line about it."""

    name: str
    summary: str


@dataclass(frozen=True)
class StrokeStyle(Style):
    """A style of separate strokes.

    `layers`: painted over the whole picture, large strokes first; `detail_layers`: only where the picture has detail.
    `value`, `hue`: how far a stroke's lightness and hue (radians) stray; `warmth`: how much warmer light strokes are
    than dark ones; `flecks`: the share of strokes that turn to a neighbouring hue, `fleck_turn` radians away.
    `vividness` multiplies chroma, `contrast` stretches lightness, `light` raises it; `turn` turns all hues (radians).
    `relief`: how strongly the
    paint's height catches the light; `follow`: how far strokes turn to the borders of things. `ground`: the colour of
    the canvas, and `bare`: how much of it shows through the underpainting. `scale`, `drift`: of the swirl field.
    `grain`: how much of the paint the tooth of the paper refuses.
    """

    layers: tuple[Layer, ...] = LAYERS
    detail_layers: tuple[Layer, ...] = (Layer(cell=4, length=12, width=4.2, density=0.0),)
    value: float = 0.07
    hue: float = 0.16
    warmth: float = 0.05
    flecks: float = 0.06
    fleck_turn: float = 0.45
    vividness: float = 1.45
    contrast: float = 1.2
    light: float = 0.015
    turn: float = 0.0
    relief: float = 0.5
    follow: float = 1.0
    ground: tuple[float, float, float] = (0.93, 0.89, 0.80)
    bare: float = 0.0
    scale: int = 160
    drift: float = 1.0
    grain: float = 0.0


@dataclass(frozen=True)
class WashStyle(Style):
    """A style of wet washes: `wobble` pixels of wandering edges, `pooling` of pigment there, `grain` of the paper.

    `vividness` multiplies chroma, `contrast` stretches lightness, `light` raises it.
    """

    wobble: float = 3.0
    pooling: float = 0.5
    grain: float = 0.08
    vividness: float = 1.25
    contrast: float = 1.05
    light: float = 0.05


DEFAULT_STYLE = "impressionist"

_ALL = (
    StrokeStyle("impressionist", "broken strokes of light, after the painters of 1874"),
    StrokeStyle(
        "swirl",
        "bold curling strokes of heightened colour, after van Gogh",
        layers=(Layer(cell=14, length=64, width=12), Layer(cell=8, length=44, width=7.5, density=0.85)),
        detail_layers=(Layer(cell=4, length=18, width=4.4, density=0.0),),
        value=0.11,
        hue=0.24,
        warmth=0.05,
        flecks=0.08,
        vividness=1.75,
        contrast=1.4,
        relief=0.8,
        scale=220,
        drift=0.5,
    ),
    StrokeStyle(
        "pointillist",
        "dots of pure colour that mix in the eye, after Seurat",
        layers=(
            Layer(cell=7, length=9, width=9),
            Layer(cell=5, length=6.4, width=6.4, density=0.8),
            Layer(cell=4, length=5, width=5, density=0.6),
        ),
        detail_layers=(Layer(cell=3, length=3.8, width=3.8, density=0.0),),
        value=0.11,
        hue=0.42,
        warmth=0.06,
        flecks=0.16,
        vividness=1.6,
        contrast=1.1,
        relief=0.15,
        bare=0.4,
    ),
    StrokeStyle(
        "pastel",
        "soft hatching in chalk on toned paper, after Degas",
        layers=(
            Layer(cell=9, length=44, width=8, density=0.7),
            Layer(cell=6, length=34, width=3.0, density=0.8),
            Layer(cell=5, length=26, width=2.4, density=0.6),
        ),
        detail_layers=(Layer(cell=4, length=12, width=2.2, density=0.0),),
        value=0.08,
        hue=0.22,
        warmth=0.05,
        flecks=0.07,
        vividness=1.7,
        contrast=1.0,
        relief=0.0,
        follow=0.5,
        ground=(0.62, 0.56, 0.50),
        bare=0.5,
        scale=260,
        drift=1.2,
        grain=0.65,
    ),
    WashStyle("watercolour", "wet washes with pooled pigment on rough paper, after Turner"),
    StrokeStyle(
        "fauve",
        "broad strokes in colours set free, after Derain",
        layers=(
            Layer(cell=24, length=64, width=26),
            Layer(cell=16, length=44, width=17, density=0.75),
        ),
        detail_layers=(Layer(cell=8, length=24, width=9, density=0.0),),
        value=0.09,
        hue=0.4,
        warmth=0.08,
        flecks=0.25,
        fleck_turn=1.5,
        vividness=2.4,
        contrast=1.25,
        light=0.03,
        turn=-0.5,
        relief=0.25,
        follow=0.6,
        drift=0.7,
    ),
    WashStyle(
        "ink",
        "black ink, much water and white paper, after Sesshu",
        wobble=4.0,
        pooling=1.1,
        grain=0.1,
        vividness=-0.1,
        contrast=1.6,
        light=0.1,
    ),
    StrokeStyle(
        "mosaic",
        "set stones with dark joints, after the floors of Ravenna",
        layers=(Layer(cell=9, length=12.5, width=12.0, spread=0.1),),
        detail_layers=(Layer(cell=6, length=7.5, width=7.0, density=0.0, spread=0.1),),
        value=0.13,
        hue=0.3,
        warmth=0.1,
        flecks=0.08,
        fleck_turn=1.2,
        vividness=1.9,
        contrast=1.35,
        relief=0.9,
        ground=(0.17, 0.14, 0.16),
        bare=0.92,
        scale=200,
    ),
)

STYLES: dict[str, Style] = {style.name: style for style in _ALL}
