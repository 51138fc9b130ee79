"""Filters: the everyday steps of chains, without models, over torch and scikit-image.

Those that move pixels (resize, crop, pad, rotate) take any picture and give back what they got: a label map stays a
label map, and alpha moves along. The others work on images, rectify too; a label map is painted before it reaches them.
"""

from __future__ import annotations

from artkit import Kind, MethodSpec, Options, Port, SizeRule, hookimpl
from artkit_filters.options import (
    BlendOptions,
    BlurOptions,
    CropOptions,
    DenoiseOptions,
    EdgesOptions,
    EqualiseOptions,
    GammaOptions,
    OverlayOptions,
    PadOptions,
    PosteriseOptions,
    QuantiseOptions,
    ResizeOptions,
    RotateOptions,
    SharpenOptions,
    SuperpixelsOptions,
)

IMAGE = Port("image", Kind.IMAGE, "the picture")
PICTURE = Port("picture", Kind.PICTURE, "an image, a label map or a mask")
REFERENCE = Port("reference", Kind.IMAGE, "the picture whose colours to take", any_size=True)
OTHER = Port("other", Kind.IMAGE, "the picture to mix with", original=True)
MASK = Port("mask", Kind.MASK, "where it is white the step before shows, where it is black the other", required=False)
MAP = Port("image", Kind.IMAGE, "the label map; with `labels` fed, the picture to lay it over")
LABELS = Port("labels", Kind.IMAGE, "the label map, in its colours", required=False)
BENEATH = Port("original", Kind.IMAGE, "the picture to lay the map over", required=False, original=True)


def _filter(
    name: str,
    module: str,
    options: type[Options],
    summary: str,
    *inputs: Port,
    output: Kind = Kind.IMAGE,
    minimum: int = 1,
) -> MethodSpec:
    """Describe a filter; its translator is the class of that name in that module. `minimum` is of sides, in pixels."""
    return MethodSpec(
        name=name,
        summary=summary,
        inputs=inputs or (IMAGE,),
        output=output,
        options=options,
        translator=f"artkit_filters.{module}:{name.capitalize()}",
        needs_model=False,
        size=SizeRule(minimum=minimum),
    )


def _geometry(name: str, options: type[Options], summary: str) -> MethodSpec:
    return _filter(name, "geometry", options, summary, PICTURE, output=Kind.PICTURE)


SPECS = {
    spec.name: spec
    for spec in (
        _geometry("resize", ResizeOptions, "Make a picture larger or smaller."),
        _geometry("crop", CropOptions, "Cut a rectangle out."),
        _geometry("pad", PadOptions, "Put a border around."),
        _geometry("rotate", RotateOptions, "Turn by any angle."),
        _filter("rectify", "rectify", Options, "Cut a photographed sheet out, seen from straight above."),
        _filter("grey", "tones", Options, "Take the colours out."),
        _filter("gamma", "tones", GammaOptions, "Make the middle tones lighter or darker."),
        _filter("posterise", "tones", PosteriseOptions, "Leave a few levels of each colour."),
        _filter("equalise", "tones", EqualiseOptions, "Even out dark and light, all over or part by part."),
        _filter("match", "tones", Options, "Take the colours of another picture (histograms).", IMAGE, REFERENCE),
        _filter("blur", "detail", BlurOptions, "Blur by a Gaussian."),
        _filter("sharpen", "detail", SharpenOptions, "Sharpen by an unsharp mask."),
        # Non-local means stumbles over pictures one pixel high or wide.
        _filter("denoise", "detail", DenoiseOptions, "Take noise away, keep edges.", minimum=2),
        _filter("edges", "drawing", EdgesOptions, "Draw the edges as thin lines (Canny)."),
        _filter("superpixels", "drawing", SuperpixelsOptions, "Paint patches of like pixels in their mean colour."),
        _filter(
            "quantise", "mixing", QuantiseOptions, "Give each pixel the class nearest in colour.", output=Kind.LABELS
        ),
        _filter(
            "blend", "mixing", BlendOptions, "Mix with the chain's original or another picture.", IMAGE, OTHER, MASK
        ),
        _filter("overlay", "mixing", OverlayOptions, "Lay a label map over a picture.", MAP, LABELS, BENEATH),
    )
}


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register the filters."""
    return list(SPECS.values())
