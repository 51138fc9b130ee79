"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .builtin import METRICS as METRICS
from .evaluating import Evaluation as Evaluation, evaluate as evaluate
from .labels import class_shares as class_shares, pixel_accuracy as pixel_accuracy
from .patches import patch_distance as patch_distance
from .perceptual import perceptual_distance as perceptual_distance, perceptual_kid as perceptual_kid
from .pixels import (
    luminance_correlation as luminance_correlation,
    psnr as psnr,
    rgb_distance as rgb_distance,
    ssim as ssim,
)
from .styles import style_accuracy as style_accuracy, style_entropy as style_entropy
