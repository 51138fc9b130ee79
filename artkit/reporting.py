"""What is safe to print, trouble with plugins told in one line on stderr, and the variables that change it."""

from __future__ import annotations

import os
import re
import sys

from artkit.errors import ArtkitError, excerpt

MOST = 400
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1 controls and DEL, line separators, marks that turn the direction of writing, halves of surrogate pairs."""


def clean(text: str, keep: str = "") -> str:
    r"""Return text that is safe to print: control characters, but for those in `keep`, become escapes: `\u001b`.

    File names, metadata and headers of models are strangers' words, and a terminal obeys such characters.
    """
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}", text)


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
    """Return the error's type and message on one line, without a final full stop; artkit's own without the type.

    What other libraries say may quote a whole file, and is cut off after `MOST` characters.
    """
    if isinstance(error, ArtkitError):
        return " ".join(str(error).split()).rstrip(".")
    text = excerpt(str(error), MOST).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def sentence(text: str) -> str:
    """Return `text` with a full stop, unless it ends in a question."""
    return text if text.endswith("?") else f"{text}."


def duration(seconds: float) -> str:
    """Return seconds as minutes and seconds, `2:03`, or hours too, `1:02:03`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def warn(message: str) -> None:
    """Write one warning line to stderr."""
    print(f"artkit: warning: {clean(message)}", file=sys.stderr)


def trace(message: str) -> None:
    """Write one trace line to stderr."""
    print(f"artkit: trace: {clean(message)}", file=sys.stderr)
