"""The memory layout of N C H W tensors, chosen for the machine: channels-last or contiguous.

Forward passes of convolutions are as fast or faster channels-last everywhere. Their weight gradients are too where the
machine multiplies tiles of matrices, as AMX and tensor cores do; elsewhere they are slower: on processors with AVX2
four to nine times, on those with AVX512-BF16 up to 1.4 times.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def training_format(device: torch.device) -> torch.memory_format:
    """Return the layout in which networks learn on `device`."""
    return torch.channels_last if _multiplies_tiles(device) else torch.contiguous_format


def inference_format(device: torch.device) -> torch.memory_format:
    """Return the layout in which networks run on `device` without gradients."""
    return torch.channels_last


def lay_out(x: Tensor) -> Tensor:
    """Return N C H W in the layout for what it is used for: inference mode's inside it, else that of training.

    Training without gradients counts as training: what a generator makes there is what a discriminator learns from.
    """
    choose = inference_format if torch.is_inference_mode_enabled() else training_format
    return x.contiguous(memory_format=choose(x.device))


@cache
def has_bf16_units(device: torch.device) -> bool:
    """Tell whether the hardware multiplies matrices in bf16: tensor cores of Ampere or later, AMX, AVX512-BF16."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    return _multiplies_tiles(device) or getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()


def _multiplies_tiles(device: torch.device) -> bool:
    if device.type == "cpu":
        return getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    return has_bf16_units(device)
