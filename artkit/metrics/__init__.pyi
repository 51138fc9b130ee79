"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .builtin import METRICS as METRICS
from .evaluating import Evaluation as Evaluation, evaluate as evaluate
from .labels import (
    border_gap as border_gap,
    class_distance as class_distance,
    class_shares as class_shares,
    off_palette as off_palette,
    pixel_accuracy as pixel_accuracy,
)
from .nearest import find_nearest as find_nearest
from .patches import patch_distance as patch_distance
from .perceptual import perceptual_distance as perceptual_distance, perceptual_kid as perceptual_kid
from .pixels import (
    luminance_correlation as luminance_correlation,
    mse as mse,
    psnr as psnr,
    rgb_distance as rgb_distance,
    sharpness as sharpness,
    ssim as ssim,
)
from .styles import style_accuracy as style_accuracy, style_entropy as style_entropy
