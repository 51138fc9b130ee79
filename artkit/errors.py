"""The errors a user can cause, each with one message that says what is wrong and what to type."""

from __future__ import annotations

from collections.abc import Iterable


class ArtkitError(Exception):
    """An expected failure: the command line prints its message alone and exits with `exit_code`."""

    exit_code = 1


class UsageError(ArtkitError):
    """Something was asked for wrongly: an unknown option, a malformed chain, a missing port."""

    exit_code = 2


class ChainError(UsageError):
    """A chain or recipe that cannot run as written."""


class OptionError(UsageError):
    """An option that a method does not have, or a value outside its range."""


class PluginError(ArtkitError):
    """A plugin that broke the contract, or raised while it ran."""


class ImageError(ArtkitError):
    """A picture that cannot be read, is too large, or has the wrong kind."""


class ModelError(ArtkitError):
    """A model that is missing, damaged, or made for something else."""


class DataError(ArtkitError):
    """A dataset that is missing, damaged, or lacks what a method needs."""


class TrainingError(ArtkitError):
    """A training run that cannot start, continue or finish."""


class OutputError(ArtkitError):
    """A result that cannot be written where it was asked for."""


def excerpt(text: str, most: int = 60) -> str:
    """Return what a file or a user wrote as an error quotes it: on one line, and cut off after `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x' or 'y'?`, or the known names, or nothing: the end of an error message."""
    import difflib  # seldom needed, and every command would pay for it

    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    if close:
        return " Did you mean " + " or ".join(f"'{match}'" for match in close) + "?"
    return f" Known: {', '.join(known)}." if known else ""
