"""How things move from one frame to the next: optical flow, by whichever estimator is here."""

from __future__ import annotations

import importlib.util

import numpy as np
import torch
from torch import Tensor

LONGEST_SIDE = 256
"""Flow is estimated on frames whose longest side has at most so many pixels."""

_LEAST_SIDE = 32  # pixels: smaller frames are not halved
_RADIUS = 7  # pixels around each that are taken to move alike
_DIS_SIDE = 16  # pixels: OpenCV's takes no smaller frames
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def flow_size(height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) that flow is estimated at for frames of a size: half, and `LONGEST_SIDE` at most.

    Flow takes time by the pixel, and is smooth: at half the size it costs a quarter.
    """
    scale = max(2, max(height, width) / LONGEST_SIDE) if min(height, width) >= 2 * _LEAST_SIDE else 1
    return max(2, round(height / scale)), max(2, round(width / scale))


def estimate_flow(frame: Tensor, other: Tensor) -> Tensor:
    """Return the displacement (2, H, W), in pixels, of each pixel of `frame` to where it is in `other`, both (3, H, W).

    By OpenCV's DIS (Kroeger, Timofte, Dai, Van Gool, "Fast optical flow using dense inverse search", ECCV 2016) where
    OpenCV is installed; else by scikit-image's iterative Lucas-Kanade (Le Besnerais, Champagnat, "Dense optical flow by
    iterative local window registration", ICIP 2005). Both see lightness alone, on the CPU.
    """
    if torch.equal(frame, other):
        return torch.zeros_like(frame[:2])
    find = _by_dis if estimator() == "opencv" and min(frame.shape[-2:]) >= _DIS_SIDE else _by_ilk
    return torch.from_numpy(find(_lightness(frame), _lightness(other))).to(frame)


def estimator() -> str:
    """Return what estimates flow here: `opencv` or `scikit-image`."""
    return "opencv" if importlib.util.find_spec("cv2") else "scikit-image"


def _lightness(frame: Tensor) -> np.ndarray:
    weights = frame.new_tensor(_LUMA)
    found: np.ndarray = torch.einsum("chw,c->hw", frame, weights).numpy(force=True)
    return found


def _by_ilk(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    from skimage.registration import optical_flow_ilk

    found: np.ndarray = np.asarray(optical_flow_ilk(frame, other, radius=_RADIUS), np.float32)
    return found


def _by_dis(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    import cv2

    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    levels = [np.round(one * 255).astype(np.uint8) for one in (frame, other)]
    right_down = method.calc(*levels, None)
    return np.ascontiguousarray(right_down[..., ::-1].transpose(2, 0, 1), np.float32)
