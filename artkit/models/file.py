"""How the tensors a network needs differ from those a file has, in one line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from artkit.errors import ModelError
from artkit.files import make_folder, open_regular, write_atomically
from artkit.models.header import encode_header, read_frame, read_header
from artkit.spec import ModelHeader

Shapes = Mapping[str, tuple[int, ...]]


def describe_differences(needed: Shapes, found: Shapes, shown: int = 3) -> str:
    """Return `missing: a, b; unexpected: c; misshaped: d (3, 4) for (3, 5)`, `shown` of each kind; empty when equal."""
    problems = {
        "missing": [name for name in needed if name not in found],
        "unexpected": [name for name in found if name not in needed],
        "misshaped": [
            f"{name} {found[name]} for {shape}"
            for name, shape in needed.items()
            if name in found and found[name] != shape
        ],
    }
    return "; ".join(f"{kind}: {_first(names, shown)}" for kind, names in problems.items() if names)


def _first(names: list[str], shown: int) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


HASH_LENGTH = 12  # hex digits: enough to tell models apart in provenance, short enough to read


@dataclass(frozen=True)
class Model:
    """A loaded model: its header, its tensors by name (float32 where they are floating point), and where it lies."""

    header: ModelHeader
    tensors: dict[str, Tensor]
    path: Path


def save_model(
    path: str | os.PathLike[str], header: ModelHeader, tensors: Mapping[str, Tensor], *, half: bool = False
) -> None:
    """Write a model file, whole or not at all; folders on the way are made, an existing file is replaced.

    With `half`, floating-point tensors are stored as float16: half the size, about three decimal digits. The same
    header and tensors give the same bytes. Raises ModelError for weights that are NaN or infinite (after rounding),
    OutputError when the file cannot be written.
    """
    path = Path(path)
    stored = {name: _stored(tensor, half) for name, tensor in tensors.items()}
    for name, tensor in stored.items():
        _check_finite(name, tensor, f"Cannot save {path}")
    make_folder(path.parent)
    write_atomically(path, safetensors.torch.save(stored, metadata=encode_header(header)), overwrite=True)


def load_model(path: str | os.PathLike[str], header: ModelHeader | None = None) -> Model:
    """Load a model file onto the CPU; floating-point tensors come back as float32.

    `header` is the file's own, where that was read before. Raises ModelError for everything `read_header` refuses, for
    damaged tensors, and for NaN or infinite weights.
    """
    path = Path(path)
    header = header or read_header(path)
    try:
        loaded = safetensors.torch.load_file(path)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is damaged: {error}.") from None
    for name, tensor in loaded.items():
        _check_finite(name, tensor, f"{path} is damaged")
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in loaded.items()}
    return Model(header, tensors, path)


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Copy `tensors` into `module`, which must have exactly these names and shapes.

    Raises ModelError naming up to three tensors that are missing, unexpected or misshaped; `path` says of which file.
    """
    check_fit(module, {name: tuple(tensor.shape) for name, tensor in tensors.items()}, path)
    module.load_state_dict(dict(tensors))


def check_fit(module: nn.Module, found: Shapes, path: str | os.PathLike[str]) -> None:
    """Raise ModelError unless `found` are the names and shapes of the tensors of `module`; see `load_into`."""
    needed = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    if differences := describe_differences(needed, found):
        raise ModelError(f"{path} does not fit the network its header describes; {differences}.")


def read_shapes(path: str | os.PathLike[str]) -> Shapes:
    """Return the shape of every tensor of a model file, by name, without reading one. Raises ModelError."""
    return read_frame(path).shapes


def model_hash(path: str | os.PathLike[str]) -> str:
    """Return the first 12 hex digits of the file's SHA-256, as written into pictures' provenance."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_LENGTH]
    except OSError as error:
        raise ModelError(f"Cannot read the model file {path}: {error.strerror or error}.") from None


def _stored(tensor: Tensor, half: bool) -> Tensor:
    """Return a tensor safetensors can store: on the CPU, contiguous, sharing memory with nothing."""
    dtype = torch.float16 if half and tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", dtype, copy=True).contiguous()


def _check_finite(name: str, tensor: Tensor, problem: str) -> None:
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise ModelError(f"{problem}: tensor '{name}' holds NaN or infinite weights.")
