"""Which device and which arithmetic to use, and why."""

from __future__ import annotations

import os
from typing import Any

import torch

from artkit.engine.memory import memory_limit
from artkit.errors import UsageError, nearest
from artkit.nn.layout import has_bf16_units

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str | torch.device = "auto") -> torch.device:
    """Return the device called `name`: `auto` takes CUDA, then MPS, then the CPU. UsageError when it is not there."""
    if not isinstance(name, str | torch.device):
        raise UsageError(f"a device has a name, such as 'auto', 'cpu' or 'cuda', and is no {type(name).__name__}.")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"unknown device '{name}'.{nearest(str(name), ['auto', 'cpu', 'cuda', 'mps'])}") from None
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}.get(device.type, False)
    if not available or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise UsageError(f"no device '{name}' on this machine: use --device auto or --device cpu.")
    return device


def pick_precision(name: str, device: torch.device) -> str:
    """Return `fp32`, `bf16` or `fp16`: `auto` takes bf16 where the hardware multiplies matrices in it."""
    if isinstance(name, str) and name == "auto":
        return "bf16" if has_bf16_units(device) else "fp32"
    if not isinstance(name, str) or name not in PRECISIONS:
        raise UsageError(f"unknown precision '{name}'.{nearest(str(name), ['auto', *PRECISIONS])}")
    if name == "fp16" and device.type == "cpu":
        raise UsageError("fp16 needs a GPU: use --precision bf16 or fp32 on the CPU.")
    return name


def report() -> dict[str, Any]:
    """Describe devices and arithmetic for `artkit doctor`."""
    device = pick_device()
    cards = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "torch": torch.__version__,
        "device": str(device),
        "cuda": cards,
        "mps": _has_mps(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "precision": pick_precision("auto", device),
        "memory": f"{memory_limit(device) / 1e9:.1f} GB for a step",
        "slow": _reasons(device),
    }


def _reasons(device: torch.device) -> list[str]:
    reasons = []
    if device.type == "cpu":
        reasons.append("no GPU was found: networks run on the CPU")
        if not has_bf16_units(device):
            reasons.append(
                "this CPU has no bf16 matrix units (AMX or AVX512-BF16): networks run in fp32, about half as fast"
            )
        limit = os.environ.get("OMP_NUM_THREADS")
        if limit and torch.get_num_threads() < (os.cpu_count() or 1):
            reasons.append(f"OMP_NUM_THREADS={limit} keeps networks from using all {os.cpu_count()} cores")
    return reasons


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
