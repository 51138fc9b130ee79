"""How trouble with plugins is told: one line on stderr; and the environment variables that change it."""

from __future__ import annotations

import os
import sys

from artkit.errors import ArtkitError


def strict() -> bool:
    """Tell whether plugin failures are raised (`ARTKIT_STRICT=1`) instead of reported."""
    return os.environ.get("ARTKIT_STRICT", "") not in ("", "0")


def tracing() -> bool:
    """Tell whether hook calls are written to stderr (`ARTKIT_TRACE=1`)."""
    return os.environ.get("ARTKIT_TRACE", "") not in ("", "0")


def restricted() -> bool:
    """Tell whether only some of the installed plugins are wanted (`ARTKIT_PLUGINS=a,b`)."""
    return "ARTKIT_PLUGINS" in os.environ


def one_line(error: BaseException) -> str:
    """Return the error's type and message on one line, without a final full stop; artkit's own without the type."""
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, ArtkitError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def sentence(text: str) -> str:
    """Return `text` with a full stop, unless it ends in a question."""
    return text if text.endswith("?") else f"{text}."


def warn(message: str) -> None:
    """Write one warning line to stderr."""
    print(f"artkit: warning: {message}", file=sys.stderr)


def trace(message: str) -> None:
    """Write one trace line to stderr."""
    print(f"artkit: trace: {message}", file=sys.stderr)
