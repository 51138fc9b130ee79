"""Whose fault an exception is: what a plugin raises becomes one line that names the plugin, or the model file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artkit.errors import ArtkitError, ImageError, ModelError, PluginError
from artkit.nn import is_out_of_memory
from artkit.reporting import one_line, strict


@contextmanager
def blame_plugin(method: str, plugin: str) -> Iterator[None]:
    """Turn whatever a method's code raises into one line that names it; with ARTKIT_STRICT=1 let it through."""
    try:
        yield
    except ArtkitError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise ImageError(f"{method} ran out of memory: give a smaller --size, or --device cpu.") from error
        if strict():
            raise
        raise PluginError(
            f"{method} (plugin '{plugin}') failed: {one_line(error)}. ARTKIT_STRICT=1 shows where."
        ) from error


@contextmanager
def blame_file(path: Path, method: str) -> Iterator[None]:
    """Turn what a method raises that builds a model's network into one line that names the file, whose header it read.

    With ARTKIT_STRICT=1 let it through.
    """
    try:
        yield
    except ModelError as error:
        if str(path) in str(error):
            raise
        raise ModelError(f"{path}: {error}") from None
    except ArtkitError:
        raise
    except Exception as error:
        if strict():
            raise
        raise ModelError(
            f"{path}: its header describes no network that {method} can build: {one_line(error)}. "
            "ARTKIT_STRICT=1 shows where."
        ) from error
