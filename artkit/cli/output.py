"""How commands speak: results on stdout, notes on stderr, `--json` as one document."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

_wordy = False

json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def say(message: str) -> None:
    """Write `artkit: message` to stderr: warnings and failures, a line each."""
    print(f"artkit: {message}", file=sys.stderr, flush=True)


class Notes(logging.Handler):
    """Say what the code that works logs to `artkit`: warnings always, the rest where someone watches."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        if record.levelno >= logging.WARNING or wordy() or sys.stderr.isatty():
            say(record.getMessage())


def hear_notes() -> None:
    """Let notes be said from now on; once is enough."""
    logger = logging.getLogger("artkit")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, Notes) for handler in logger.handlers):
        logger.addHandler(Notes())


def print_json(document: Any) -> None:
    """Write `document` to stdout as JSON; paths and other plain objects become text."""
    click.echo(json.dumps(document, indent=2, default=str, ensure_ascii=False))


def print_columns(rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to stdout in aligned columns, two spaces apart, never cut to the terminal's width."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def set_wordy(on: bool) -> None:
    """Say more (`-v`): seconds of each step wherever output goes, and the traceback behind an expected error."""
    global _wordy
    _wordy = on


def wordy() -> bool:
    """Return True when `-v` was given."""
    return _wordy
