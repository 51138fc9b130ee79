"""Scores of pairs of images, pixel by pixel or window by window: means over the pairs, every pair weighs the same."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics.pairs import Pictures, as_images, mean_over_pairs

REC709_LUMA = (0.2126, 0.7152, 0.0722)
SSIM_WINDOW = 11  # pixels: a Gaussian of sigma 1.5 cut at 3.5 sigma, as in Wang et al. 2004


def rgb_distance(a: Pictures, b: Pictures) -> float:
    """Return the mean Euclidean distance between pixels' RGB colours, on the 0..255 scale, not rounded to 8 bits.

    0 is equal; 441.67 (255 times the root of 3) is black against white.
    """
    return mean_over_pairs(_rgb_distance, as_images(a), as_images(b))


def mse(a: Pictures, b: Pictures) -> float:
    """Return the mean square error of a value in [0, 1], over channels, pixels and pairs."""
    return mean_over_pairs(_mse, as_images(a), as_images(b))


def sharpness(a: Pictures, b: Pictures) -> float:
    """Return how sharp pictures are beside their targets: the mean over the pairs of the ratio of their gradients.

    Gradients are the mean differences of neighbours, across and down. 1 is as sharp, less is blurred, more is harsh.
    Infinite where a target alone is of one colour.
    """
    return mean_over_pairs(_sharpness, as_images(a), as_images(b))


def psnr(a: Pictures, b: Pictures) -> float:
    """Return the mean peak signal-to-noise ratio in dB, for a peak of 1; infinite where a pair is equal."""
    return mean_over_pairs(_psnr, as_images(a), as_images(b))


def ssim(a: Pictures, b: Pictures) -> float:
    """Return the mean structural similarity, 1 for equal images.

    Wang et al. 2004 ("Image quality assessment"): Gaussian windows of 11x11 pixels and sigma 1.5, K1 = 0.01,
    K2 = 0.03, windows that leave the image left out. Differs from the paper in colour: the mean over R, G and B
    instead of grey alone. Raises DataError below 11 pixels a side.
    """
    return mean_over_pairs(_ssim, as_images(a), as_images(b))


def luminance_correlation(a: Pictures, b: Pictures) -> float:
    """Return the mean Pearson correlation of luma (Rec. 709 weights on sRGB-encoded values), -1 to 1.

    Says whether light and dark stayed where they were, whatever became of the colours. An image of one luma
    correlates with nothing: its pair counts 0.
    """
    return mean_over_pairs(_luminance_correlation, as_images(a), as_images(b))


def _rgb_distance(a: Tensor, b: Tensor) -> float:
    return 255 * torch.linalg.vector_norm(a.double() - b.double(), dim=0).mean().item()


def _mse(a: Tensor, b: Tensor) -> float:
    return (a.double() - b.double()).square().mean().item()


def _sharpness(a: Tensor, b: Tensor) -> float:
    made, due = (sum(image.double().diff(dim=axis).abs().mean().item() for axis in (-1, -2)) for image in (a, b))
    return made / due if due else math.inf if made else 1.0


def _psnr(a: Tensor, b: Tensor) -> float:
    from skimage.metrics import peak_signal_noise_ratio

    if torch.equal(a, b):
        return float("inf")
    return float(peak_signal_noise_ratio(a.double().cpu().numpy(), b.double().cpu().numpy(), data_range=1.0))


def _ssim(a: Tensor, b: Tensor) -> float:
    from skimage.metrics import structural_similarity

    if min(a.shape[-2:]) < SSIM_WINDOW:
        raise DataError(f"ssim needs images of at least {SSIM_WINDOW} pixels a side.")
    return float(
        structural_similarity(
            a.float().cpu().numpy(),
            b.float().cpu().numpy(),
            data_range=1.0,
            channel_axis=0,
            gaussian_weights=True,
            use_sample_covariance=False,
        )
    )


def _luminance_correlation(a: Tensor, b: Tensor) -> float:
    first, second = _centred_luma(a), _centred_luma(b)
    norms = first.norm() * second.norm()
    return ((first * second).sum() / norms).item() if norms > 0 else 0.0


def _centred_luma(image: Tensor) -> Tensor:
    weights = torch.tensor(REC709_LUMA, dtype=torch.float64, device=image.device)
    luma = torch.einsum("c,chw->hw", weights, image.double())
    return luma - luma.mean()
