"""Distances and scores, each with a stated protocol; names load on first use.

Every metric takes two lists of pictures, outputs first and targets second, and returns one float. A list may be a
tensor: float N3HW (or one 3HW) in [0, 1] for images, integer NHW (or one HW) for label maps.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from artkit.spec import Kind, MetricSpec

if TYPE_CHECKING:
    from artkit.metrics.evaluating import Evaluation, evaluate
    from artkit.metrics.labels import class_shares, pixel_accuracy
    from artkit.metrics.patches import patch_distance
    from artkit.metrics.pixels import luminance_correlation, psnr, rgb_distance, ssim

_MODULES = {
    "Evaluation": "evaluating",
    "evaluate": "evaluating",
    "class_shares": "labels",
    "luminance_correlation": "pixels",
    "patch_distance": "patches",
    "pixel_accuracy": "labels",
    "psnr": "pixels",
    "rgb_distance": "pixels",
    "ssim": "pixels",
}

METRICS = (
    MetricSpec(
        "rgb_distance",
        "mean Euclidean distance of a pixel's colour to its target, on 0..255",
        "artkit.metrics.pixels:rgb_distance",
    ),
    MetricSpec("psnr", "peak signal-to-noise ratio in dB", "artkit.metrics.pixels:psnr", better="higher"),
    MetricSpec("ssim", "structural similarity (Wang et al. 2004)", "artkit.metrics.pixels:ssim", better="higher"),
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
        "pixel_accuracy",
        "share of pixels with the right class",
        "artkit.metrics.labels:pixel_accuracy",
        better="higher",
        kind=Kind.LABELS,
    ),
)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"artkit.metrics.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'artkit.metrics' has no attribute '{name}'")


__all__ = [
    "METRICS",
    "Evaluation",
    "class_shares",
    "evaluate",
    "luminance_correlation",
    "patch_distance",
    "pixel_accuracy",
    "psnr",
    "rgb_distance",
    "ssim",
]
