"""Parameter types that several commands share: sizes, shards, `NAME=VALUE`, chains."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from artkit.cli.sharding import MOST_SHARDS, Shard

if TYPE_CHECKING:
    from artkit.plugins import Registry


SQUARE, LONGEST = "square", "longest"
"""What one number means as a size: the side of a square, or the longest side of what has proportions already."""


class Size(click.ParamType):
    """`WxH` in pixels, as `(width, height)`; one number is a square, or stays a number where it is the longest side."""

    def __init__(self, one: str = SQUARE) -> None:
        self.one = one
        self.name = "WxH" if one == SQUARE else "WxH|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int] | int:
        """Return `(width, height)` or the longest side; fail on anything but one or two positive whole numbers."""
        if isinstance(value, tuple | int):
            return value
        match = re.fullmatch(r"([1-9]\d{0,6})(?:[xX×]([1-9]\d{0,6}))?", value.strip())
        if match is None:
            self.fail(f"'{value}' is no size; write width x height in pixels, as in 512x384.", param, ctx)
        if match[2] is None and self.one == LONGEST:
            return int(match[1])
        return int(match[1]), int(match[2] or match[1])


class ShardText(click.ParamType):
    """`I/N`, part I of N, as a Shard."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Return the Shard; fail on anything but two whole numbers of which the first counts from 1 to the second."""
        if isinstance(value, Shard):
            return value
        match = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", value.strip())
        if match is None:
            self.fail(f"'{value}' is no shard; write the part and how many there are, as in 3/16.", param, ctx)
        index, count = int(match[1]), int(match[2])
        if not 1 <= index <= count <= MOST_SHARDS:
            reason = f"parts are counted from 1 to their number, which is at most {MOST_SHARDS:,}"
            self.fail(f"there is no shard {index}/{count}: {reason}.", param, ctx)
        return Shard(index, count)


class Assignment(click.ParamType):
    """`NAME=VALUE`, as `(name, value)`."""

    def __init__(self, name: str, example: str) -> None:
        self.name, self.example = name, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return `(name, value)`; fail when either is missing."""
        if isinstance(value, tuple):
            return value
        name, sign, text = value.partition("=")
        if not (name.strip() and sign and text):
            self.fail(f"'{value}' should read {self.name}, as in {self.example}.", param, ctx)
        return name.strip(), text


def gather_assignments(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of a repeatable `NAME=VALUE` option by name, in order: a name may come more than once."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


class ChainText(click.ParamType):
    """A chain as text; the shell completes the method after the last comma."""

    name = "chain"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer methods for the step being typed."""
        head, comma, last = incomplete.rpartition(",")
        return [
            CompletionItem(head + comma + item.value, help=item.help) for item in complete_methods(ctx, param, last)
        ]


def complete_methods(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the methods whose names start with `incomplete`."""
    registry: Registry = ctx.find_root().obj
    return [
        CompletionItem(spec.name, help=spec.summary)
        for spec in registry.methods.values()
        if spec.name.startswith(incomplete)
    ]


def collect_settings(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Return the values of `--set`: text, and lists such as `[32, 24]`; numbers are read where they are checked."""
    return {name: _listed(value) for name, value in collect_assignments(pairs, "--set").items()}


def _listed(text: str) -> str | list[str]:
    if not (text.startswith("[") and text.endswith("]")):
        return text
    return [item.strip() for item in text[1:-1].split(",") if item.strip()]


def collect_assignments(pairs: Iterable[tuple[str, str]], option: str) -> dict[str, str]:
    """Return the pairs of a repeatable `NAME=VALUE` option; raise UsageError when a name comes twice."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise click.UsageError(f"{option} {name}= is given twice.")
        values[name] = value
    return values
