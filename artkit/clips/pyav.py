"""PyAV, the extra that movie files take: whether it is here, and what its errors mean."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artkit.errors import ArtkitError, ImageError, UsageError


def need_pyav(path: Path) -> None:
    """Raise UsageError that says what to install where PyAV is not here."""
    if importlib.util.find_spec("av") is None:
        raise UsageError(f"{path} is a movie, and movies need PyAV, which is not here: pip install av")


@contextmanager
def movie_errors(name: str) -> Iterator[None]:
    """Turn what PyAV raises about a file into one ImageError that names it."""
    from av.error import FFmpegError

    try:
        yield
    except ArtkitError:
        raise
    except (FFmpegError, OSError, ValueError, EOFError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(". ") or type(error).__name__
        raise ImageError(f"{name} is damaged or no movie ({reason}).") from error
