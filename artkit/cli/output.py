"""What the command line prints, and how it fails: exit codes and one-line errors."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from artkit.errors import ArtkitError
from artkit.reporting import clean

_verbose = False

json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def echo(line: str, *, err: bool = False) -> None:
    """Write one line of results to stdout, or to stderr, without characters that a terminal obeys."""
    click.echo(clean(line), err=err)


def log(message: str) -> None:
    """Write `artkit: message` to stderr: warnings and failures, a line each; what is indented below it stays there."""
    lines = message.split("\n  ")
    print("artkit: " + "\n  ".join(map(clean, lines)), file=sys.stderr, flush=True)


def print_json(document: Any) -> None:
    """Write `document` to stdout as JSON; paths and other plain objects become text."""
    import json

    text = json.dumps(document, indent=2, default=str, ensure_ascii=False)
    click.echo(clean(text, keep="\n"))  # the escapes are JSON's own


def print_columns(rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to stdout in aligned columns, two spaces apart, never cut to the terminal's width."""
    cells = [[clean(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def set_verbose(on: bool) -> None:
    """Be verbose (`-v`): seconds of each step wherever output goes, and the traceback behind an expected error."""
    global _verbose
    _verbose = on


def verbose() -> bool:
    """Return True when `-v` was given."""
    return _verbose


INTERRUPTED = 130
REPORT = (
    "this is a fault in artkit or in a plugin, not in what you typed. "
    "Please report it where you got artkit, with the lines above and what `artkit doctor` says."
)


def guarded(action: Callable[[], int], *, as_json: bool = False) -> int:
    """Run `action` and return its exit code, or the one its failure stands for.

    An ArtkitError and a usage error of click become one line; Ctrl-C becomes 130; a reader that went away (`| head`)
    ends quietly; anything else keeps its traceback, with a line on where to report it. With `as_json` the failure is
    on stdout too: `{"error": {"type": ..., "message": ..., "exit_code": ...}}`.
    """
    try:
        code = action()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except (Exception, KeyboardInterrupt) as error:
        code, message = _explain(error)
        if as_json:
            print_json({"error": {"type": type(error).__name__, "message": message, "exit_code": code}})
        return code


def _explain(error: BaseException) -> tuple[int, str]:
    """Write on stderr what went wrong; return the exit code, and the message alone."""
    code, message = 1, str(error)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        code, message = INTERRUPTED, "stopped."
    elif isinstance(error, click.ClickException):
        code, message = error.exit_code, _usage_message(error)
    elif isinstance(error, ArtkitError):
        code = error.exit_code
        if verbose():
            _print_traceback(error)
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = str(error.filename)
        message = f"no file can have a name of {len(name)} characters: {name[:40]}..."
    else:
        _print_traceback(error)
        log(REPORT)
        return 1, message
    log(message)
    return code, message


def _print_traceback(error: BaseException) -> None:
    """Write the traceback to stderr. Lines of code keep their breaks; a message, which may be anyone's, does not."""
    import traceback

    for part in traceback.format_exception(error):
        print(clean(part.strip("\n"), keep="\n" if part.startswith("  File") else ""), file=sys.stderr)


def _usage_message(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    return f"{message} See `{context.command_path} --help`." if context else message


def _forget_stdout() -> None:
    # Python flushes stdout once more as it exits, and would complain again about the closed pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
