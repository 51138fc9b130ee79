"""How much memory a step may take."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch

from artkit.errors import UsageError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
UNKNOWN = 4 * 10**9  # bytes, where the system does not say what is free


def memory_limit(device: torch.device) -> int:
    """Return how many bytes a step may take: what ARTKIT_MEMORY says, or what is free now on the device.

    Raises UsageError for an ARTKIT_MEMORY that is no size.
    """
    told = os.environ.get("ARTKIT_MEMORY", "").strip()
    return parse_bytes(told) if told else free_memory(device)


def parse_bytes(text: str) -> int:
    """Return the bytes that `4GB`, `800M` or `1.5GiB` stand for. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", text.upper())
    size = int(float(match[1]) * UNITS[match[2]]) if match and match[2] in UNITS else 0
    if size <= 0:
        raise UsageError(f"ARTKIT_MEMORY={text} is no size: write 4GB or 800MB.")
    return size


def free_memory(device: torch.device) -> int:
    """Return how many bytes are free on a device: what torch holds without using it counts as free."""
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + held
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    return int(min(_system_memory(), _group_memory()))


def _system_memory() -> int:
    """Return what Linux calls available; elsewhere half of what is built in."""
    try:
        return 1024 * _numbers(Path("/proc/meminfo"))["MemAvailable"]
    except (OSError, KeyError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return UNKNOWN


def _group_memory(group: Path = Path("/sys/fs/cgroup")) -> float:
    """Return what a container leaves free, where it has a limit; files that can be dropped from memory are free."""
    try:
        limit, taken = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return int(limit) - int(taken) + _numbers(group / "memory.stat")["inactive_file"]
    except (OSError, KeyError, ValueError):
        return float("inf")


def _numbers(file: Path) -> dict[str, int]:
    """Read lines of `name number` or `name: number unit`."""
    fields = (line.split() for line in file.read_text().splitlines())
    return {name.rstrip(":"): int(number) for name, number, *_ in fields}
