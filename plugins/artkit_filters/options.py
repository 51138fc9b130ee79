"""The options of every filter: typed, with ranges; import-light, as they are read whenever artkit starts."""

from __future__ import annotations

from typing import Annotated, Literal

from artkit import Options, option

Length = Annotated[int, option("", ge=1, le=65535)]
Pixels = Annotated[int, option("", ge=0, le=65535)]
_FILL = "mirror, edge, a colour (white, '#e0d0c0'), or for label maps a class index"


class ResizeOptions(Options, frozen=True):
    """Options of a resize step; of width and height, one alone keeps the proportions."""

    width: Annotated[Length | None, option("new width in pixels")] = None
    height: Annotated[Length | None, option("new height in pixels")] = None
    longest: Annotated[Length | None, option("new length of the longer side, in pixels")] = None
    scale: Annotated[float, option("factor, where no length is given", ge=0.001, le=100)] = 0.5
    filter: Annotated[
        Literal["bicubic", "nearest"], option("bicubic without moiré, or nearest neighbour; label maps: always nearest")
    ] = "bicubic"


class CropOptions(Options, frozen=True):
    """Options of a crop step; with neither width nor height, the largest square."""

    width: Annotated[Length | None, option("width to keep, in pixels; all of it when left out")] = None
    height: Annotated[Length | None, option("height to keep, in pixels; all of it when left out")] = None
    x: Annotated[Pixels | None, option("columns to cut off at the left; centred when left out")] = None
    y: Annotated[Pixels | None, option("rows to cut off at the top; centred when left out")] = None


class PadOptions(Options, frozen=True):
    """Options of a pad step."""

    by: Annotated[Pixels, option("pixels to put at each side")] = 32
    left: Annotated[Pixels | None, option("pixels at the left, instead of `by`")] = None
    right: Annotated[Pixels | None, option("pixels at the right, instead of `by`")] = None
    top: Annotated[Pixels | None, option("pixels at the top, instead of `by`")] = None
    bottom: Annotated[Pixels | None, option("pixels at the bottom, instead of `by`")] = None
    fill: Annotated[int | str, option(f"what to put there: {_FILL}")] = "mirror"


class RotateOptions(Options, frozen=True):
    """Options of a rotate step."""

    angle: Annotated[float, option("degrees, counter-clockwise", ge=-360, le=360)] = 90
    expand: Annotated[bool, option("grow to hold all of the picture; else keep the size and cut corners")] = True
    fill: Annotated[int | str, option(f"what fills the corners: {_FILL}")] = "mirror"


class EdgesOptions(Options, frozen=True):
    """Options of an edges step."""

    sigma: Annotated[float, option("blur before looking for edges, in pixels: the larger, the fewer", ge=0, le=50)] = 2
    low: Annotated[float, option("slope that continues a line that has begun", ge=0, le=1)] = 0.1
    high: Annotated[float, option("slope that begins a line", ge=0, le=1)] = 0.2
    invert: Annotated[bool, option("white lines on black, instead of black ones on white")] = False

    def __post_init__(self) -> None:
        """Raise ValueError when a line would be continued by less than nothing."""
        if self.low > self.high:
            raise ValueError(f"low={self.low:g} is above high={self.high:g}: give a low that is smaller")


class BlurOptions(Options, frozen=True):
    """Options of a blur step."""

    sigma: Annotated[float, option("standard deviation of the Gaussian, in pixels", ge=0, le=500)] = 2


class SharpenOptions(Options, frozen=True):
    """Options of a sharpen step: picture + amount * (picture - blurred)."""

    amount: Annotated[float, option("how much of the difference to add", ge=0, le=20)] = 1
    radius: Annotated[float, option("standard deviation of the blur, in pixels", ge=0, le=100)] = 1


class DenoiseOptions(Options, frozen=True):
    """Options of a denoise step."""

    strength: Annotated[float, option("how strong the noise is, as a share of the range", ge=0.001, le=1)] = 0.1
    way: Annotated[
        Literal["tv", "nlm"],
        option(
            "tv: flat areas, firm edges (total variation); nlm: averages like patches, keeps texture (non-local means)"
        ),
    ] = "tv"


class EqualiseOptions(Options, frozen=True):
    """Options of an equalise step."""

    adaptive: Annotated[bool, option("each part of the picture by itself (CLAHE), instead of all at once")] = False
    limit: Annotated[float, option("contrast grows at most this many times", ge=1, le=256)] = 4
    tiles: Annotated[int, option("parts along each side, where adaptive", ge=1, le=64)] = 8


class GammaOptions(Options, frozen=True):
    """Options of a gamma step: picture ** power."""

    power: Annotated[float, option("below 1 lighter, above 1 darker; black and white stay", ge=0.01, le=100)] = 0.8


class PosteriseOptions(Options, frozen=True):
    """Options of a posterise step."""

    levels: Annotated[int, option("levels of red, of green and of blue that are left", ge=2, le=256)] = 4


class QuantiseOptions(Options, frozen=True):
    """Options of a quantise step."""

    classes: Annotated[str, option("a class set: the name of a model's, or in quotes the path of a classes.txt")] = (
        "landscape"
    )


class SuperpixelsOptions(Options, frozen=True):
    """Options of a superpixels step."""

    count: Annotated[int, option("about how many superpixels", ge=1, le=100_000)] = 400
    compactness: Annotated[float, option("small: along colours; large: squares", ge=0.01, le=1000)] = 10


class BlendOptions(Options, frozen=True):
    """Options of a blend step: other + strength * mask * (picture - other)."""

    strength: Annotated[float, option("0: the other picture, 1: what the step before made", ge=0, le=1)] = 0.5


class OverlayOptions(Options, frozen=True):
    """Options of an overlay step."""

    strength: Annotated[float, option("share of the map's colours inside its regions", ge=0, le=1)] = 0.5
    lines: Annotated[int, option("width of the solid line between regions, in pixels; 0 for none", ge=0, le=64)] = 1
