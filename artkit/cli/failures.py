"""What becomes of an exception: the one place that turns failures into a line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

import click

from artkit.cli.output import say, wordy
from artkit.errors import ArtkitError

INTERRUPTED = 130
REPORT = (
    "this is a fault in artkit or in a plugin, not in what you typed. "
    "Please report it where you got artkit, with the lines above and what `artkit doctor` says."
)


def guarded(action: Callable[[], int]) -> int:
    """Run `action` and return its exit code, or the one its failure stands for.

    An ArtkitError and a usage error of click become one line; Ctrl-C becomes 130; a reader that went away (`| head`)
    ends quietly; anything else keeps its traceback, with a line on where to report it.
    """
    try:
        code = action()
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        say("stopped.")
        return INTERRUPTED
    except click.ClickException as error:
        say(_usage_message(error))
        return error.exit_code
    except ArtkitError as error:
        if wordy():
            traceback.print_exc()
        say(str(error))
        return error.exit_code
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except Exception:
        traceback.print_exc()
        say(REPORT)
        return 1
    return code


def _usage_message(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    return f"{message} See `{context.command_path} --help`." if context else message


def _forget_stdout() -> None:
    # Python flushes stdout once more as it exits, and would complain again about the closed pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
