"""The metrics of core, registered as a plugin's are; import-light."""

from __future__ import annotations

from artkit.hookspecs import hookimpl
from artkit.spec import Kind, MetricSpec

METRICS = (
    MetricSpec(
        "rgb_distance",
        "mean Euclidean distance of a pixel's colour to its target, on 0..255",
        "artkit.metrics.pixels:rgb_distance",
    ),
    MetricSpec("mse", "mean square error of a value in 0..1", "artkit.metrics.pixels:mse"),
    MetricSpec("psnr", "peak signal-to-noise ratio in dB", "artkit.metrics.pixels:psnr", better="higher"),
    MetricSpec("ssim", "structural similarity (Wang et al. 2004)", "artkit.metrics.pixels:ssim", better="higher"),
    MetricSpec(
        "sharpness",
        "mean gradient beside the target's: 1 is as sharp, less is blurred",
        "artkit.metrics.pixels:sharpness",
        better="higher",
    ),
    MetricSpec(
        "luminance_correlation",
        "correlation of light and dark with the target's",
        "artkit.metrics.pixels:luminance_correlation",
        better="higher",
    ),
    MetricSpec(
        "patch_distance",
        "sliced Wasserstein distance of 7x7 patches between two sets of pictures",
        "artkit.metrics.patches:patch_distance",
    ),
    MetricSpec(
        "perceptual_distance",
        "how differently pairs look to EfficientNet-Lite0: 0 for equal ones, 2 at most",
        "artkit.metrics.perceptual:perceptual_distance",
        needs="artkit.nn.perceptual:find_perceptual_weights",
    ),
    MetricSpec(
        "perceptual_kid",
        "kernel distance between two sets of pictures, by features of EfficientNet-Lite0",
        "artkit.metrics.perceptual:perceptual_kid",
        needs="artkit.nn.perceptual:find_perceptual_weights",
    ),
    MetricSpec(
        "style_entropy",
        "how undecided the style of a picture is among those of the targets, in nats",
        "artkit.metrics.styles:style_entropy",
        better="higher",
        facts=True,
    ),
    MetricSpec(
        "style_accuracy",
        "share of pictures that are seen in the style of their target",
        "artkit.metrics.styles:style_accuracy",
        better="higher",
        facts=True,
    ),
    MetricSpec(
        "pixel_accuracy",
        "share of pixels with the right class",
        "artkit.metrics.labels:pixel_accuracy",
        better="higher",
        kind=Kind.LABELS,
    ),
    MetricSpec(
        "class_distance",
        "how far two sets of label maps are apart in how much each class covers, 0 to 1",
        "artkit.metrics.labels:class_distance",
        kind=Kind.LABELS,
    ),
    MetricSpec(
        "border_gap",
        "by what share borders between classes are longer or shorter than the targets'",
        "artkit.metrics.labels:border_gap",
        kind=Kind.LABELS,
    ),
    MetricSpec(
        "off_palette",
        "share of pixels whose colour is none of the targets', which are painted label maps",
        "artkit.metrics.labels:off_palette",
        by_name=True,
    ),
)


@hookimpl
def register_metrics() -> list[MetricSpec]:
    """Register core's own scores, as a plugin does."""
    return list(METRICS)
