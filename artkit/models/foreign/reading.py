"""Reading weights of other programs without trusting them: nothing in a file is run, and its size is bounded."""

from __future__ import annotations

import os
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from torch import Tensor

from artkit.errors import ModelError, excerpt
from artkit.files import open_regular
from artkit.models.header import is_pickle
from artkit.reporting import MOST, one_line

MAX_BYTES = 4 * 2**30  # the largest generator of these projects, CUT's and pix2pix's included, weighs 0.7 GB
MAX_TENSORS = 20_000
MAX_WORD = 4096  # characters of a name in a pickle
LEGACY_PICKLES = 5  # before the numbers: magic number, protocol, machine, tensors, names of storages
AVERAGE = "params_ema"  # BasicSR saves weights and their average in one file; the average is what it runs


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a PyTorch file (`.pth`, any age) or a `.safetensors` by name.

    PyTorch files are read by `torch.load(weights_only=True)`, which builds tensors and nothing else, mapped into memory
    where their form allows it. A file may hold its tensors inside one further table (`{"state_dict": {...}}`). Raises
    ModelError, one line, for anything else: code, damage, contents that are no tensors, tensors that are sparse, empty
    or larger than the file's own data, more than 4 GiB.
    """
    start, size = _look(path)
    if size > MAX_BYTES:
        raise ModelError(f"{path} is refused: {size} bytes are more than the {MAX_BYTES} that artkit reads.")
    loaded = _unpickle(path) if is_pickle(start) else _read_safetensors(path)
    tensors = _only_tensors(loaded, path)
    for name, tensor in tensors.items():
        _check(name, tensor, path)
    if len(tensors) > MAX_TENSORS or sum(tensor.nbytes for tensor in tensors.values()) > MAX_BYTES:
        raise ModelError(f"{path} is refused: it unfolds to more than {MAX_BYTES} bytes or {MAX_TENSORS} tensors.")
    return {name: tensor.detach() for name, tensor in tensors.items()}


def _look(path: Path) -> tuple[bytes, int]:
    """Return a file's first bytes and its size."""
    try:
        with open_regular(path) as file:
            return file.read(8), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror or error}.") from None


def _unpickle(path: Path) -> Any:
    zipped = _is_whole_zip(path)
    try:
        _refuse_long_words(path, zipped)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if zipped and path.suffix != ".safetensors":  # torch goes by the suffix; others cannot be mapped
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            with open_regular(path) as file:
                return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # here and below: a hostile file can raise anything
        raise ModelError(f"{path} {_why(str(error))}") from None


def _is_whole_zip(path: Path) -> bool:
    """Tell whether a file is an archive; refuse one that grows when it is opened: PyTorch never compresses."""
    try:
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            compressed = [entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
    except Exception as error:  # is_zipfile raises for some damage, too
        raise ModelError(f"{path} is damaged: {one_line(error)}.") from None
    if compressed:
        name = compressed[0][:80]
        raise ModelError(f"{path} is no PyTorch file: {name!r} in it is compressed, which PyTorch never does.")
    return True


def _refuse_long_words(path: Path, zipped: bool) -> None:
    """Raise ValueError for pickles with words that no checkpoint has: PyTorch would take hours to say what is wrong.

    Its error message is searched by a pattern whose time grows with the square of a word's length.
    """
    if zipped:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith("data.pkl"):
                    _scan(BytesIO(archive.read(entry)))
        return
    with open_regular(path) as file:
        for _ in range(LEGACY_PICKLES):
            if not file.read(1):
                return
            file.seek(-1, os.SEEK_CUR)
            _scan(file)


def _scan(pickled: BinaryIO) -> None:
    for _, word, _ in pickletools.genops(pickled):
        if isinstance(word, str | bytes) and len(word) > MAX_WORD:
            raise ValueError(f"a word of {len(word)} characters")


def _why(message: str) -> str:
    """Put what PyTorch says about a file it did not read, which is half a page, into half a line."""
    wanted = re.search(r"GLOBAL ([\w.]+)|class ([\w.]+)|builtin ([\w.]+)", message)
    if "weights_only" in message.lower() and wanted:
        name = next(filter(None, wanted.groups()))
        return (
            f"is refused: it is a pickle that wants to run '{name}'. Nothing was run. artkit reads files that hold "
            "tensors alone; where you trust the file, save the network's state_dict by itself."
        )
    if message.startswith("Weights only load failed"):
        return "is refused: it is a pickle of other things than tensors. Nothing was run."
    first = message.strip().splitlines()[0].split(". ")[0].rstrip(".") if message.strip() else "it cannot be read"
    return f"is damaged, cut short or no PyTorch file: {excerpt(first, MOST)}."


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except Exception as error:
        raise ModelError(f"{path} is damaged or no file of weights: {error}.") from None


def _only_tensors(loaded: Any, path: Path) -> dict[str, Tensor]:
    if not isinstance(loaded, Mapping) or not loaded:
        what = "an empty table" if isinstance(loaded, Mapping) else f"one {type(loaded).__name__}"
        raise ModelError(f"{path} holds {what}, not a network's tensors by name.")
    if _is_state(loaded):
        return dict(loaded)
    tables = [str(name) for name, value in loaded.items() if isinstance(value, Mapping) and value and _is_state(value)]
    if AVERAGE in tables and len(tables) == 2:
        tables = [AVERAGE]
    if len(tables) == 1:
        return dict(loaded[tables[0]])
    if tables:
        raise ModelError(f"{path} holds several networks ({', '.join(tables[:5])}): save the one you want by itself.")
    name, value = next((name, value) for name, value in loaded.items() if not _is_state({name: value}))
    raise ModelError(f"{path} holds more than a network's tensors: {str(name)[:80]!r} is a {type(value).__name__}.")


def _is_state(table: Mapping[Any, Any]) -> bool:
    return all(isinstance(name, str) and isinstance(value, Tensor) for name, value in table.items())


def _check(name: str, tensor: Tensor, path: Path) -> None:
    """Refuse tensors that are no plain numbers, or that claim more of them than the file holds."""
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not plain or tensor.is_complex():
        raise ModelError(f"{path}: the tensor '{name}' is {tensor.dtype}, {tensor.layout}, on {tensor.device}.")
    if tensor.numel() == 0 or tensor.nbytes > tensor.untyped_storage().nbytes():
        raise ModelError(f"{path}: the tensor '{name}' has the shape {tuple(tensor.shape)} and not the data for it.")
