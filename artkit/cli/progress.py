"""Progress on stderr: a bar while artkit works, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Quiet:
    """Progress that nobody watches: nothing but results appears."""

    def advance(self, words: str) -> None:
        """Count one piece of work done; `words` say what was last worked on."""

    def within(self, words: str, share: float) -> None:
        """Say how much of the present piece of work is done."""

    def write(self, line: str) -> None:
        """Print a line of results to stdout, past the bar."""
        click.echo(line)


class Bar(Quiet):
    """Progress drawn by rich."""

    def __init__(self, drawn: Progress, task: TaskID) -> None:
        self.drawn, self.task = drawn, task

    def advance(self, words: str) -> None:
        """Move the bar on, and show `words` beside it."""
        self.drawn.update(self.task, advance=1, description=words)

    def within(self, words: str, share: float) -> None:
        """Show the share beside `words`."""
        self.drawn.update(self.task, description=f"{words} {share:.0%}")

    def write(self, line: str) -> None:
        """Print a line to stdout; where that is the bar's own terminal, above the bar."""
        if sys.stdout.isatty():
            self.drawn.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(line)


def on_terminal() -> bool:
    """Return True when progress has someone to watch it: stderr is a terminal."""
    return sys.stderr.isatty()


@contextmanager
def progress(title: str, total: int | None = None, *, hidden: bool = False) -> Iterator[Quiet]:
    """Show a bar (a spinner for fewer than two pieces of work) while the block runs; it disappears in the end.

    Nothing is shown, and rich is not imported, when `hidden` or when stderr is no terminal.
    """
    if hidden or not on_terminal():
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    counting = [] if total is None or total < 2 else [BarColumn(), MofNCompleteColumn()]
    columns = [SpinnerColumn(), *counting, TimeElapsedColumn(), TextColumn("{task.description}", markup=False)]
    # Rich would send what is printed to stdout to the bar's stream, which is stderr.
    drawn = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    with drawn:
        yield Bar(drawn, drawn.add_task(title, total=total))
