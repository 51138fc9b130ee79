"""Load what diffusers saved to a folder: safetensors alone, from this machine alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artkit import ModelError, OptionError
from artkit.errors import excerpt
from torch import nn


def load(kind: Any, folder: str, option: str, **parts: Any) -> Any:
    """Return a pipeline or network of a class of diffusers. OptionError for no folder, ModelError for another."""
    import diffusers
    import transformers

    if not (folder and Path(folder).is_dir()):
        raise OptionError(f"{option}={folder!r} is no folder here: name one that diffusers' save_pretrained wrote.")
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    try:
        return kind.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False, **parts
        )
    except Exception as error:  # each part of a folder has a library of its own to complain of it
        reason = f"{type(error).__name__}: {excerpt(str(error), 200).rstrip('.')}"
        raise ModelError(f"{folder} holds nothing that diffusers can use here: {reason}.") from None


def networks(pipeline: Any) -> dict[str, nn.Module]:
    """Return the networks of a pipeline, by name."""
    return {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
