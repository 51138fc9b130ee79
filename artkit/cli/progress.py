"""Progress on stderr: a bar while artkit works, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from artkit.cli.thumbnail import Thumbnail
    from artkit.engine.step import ProgressEvent


PICTURESQUE = ("256", "truecolor")  # colour systems of terminals that can show a picture


class Quiet:
    """Progress that nobody watches: nothing but results appears."""

    def advance(self, words: str) -> None:
        """Count one piece of work done; `words` say what was last worked on."""

    def within(self, event: ProgressEvent) -> None:
        """Say how much of the present piece of work is done."""

    def write(self, line: str) -> None:
        """Print a line of results to stdout, past the bar."""
        click.echo(line)


class Bar(Quiet):
    """Progress drawn by rich."""

    def __init__(self, drawn: Progress, task: TaskID, thumbnail: Thumbnail) -> None:
        self.drawn, self.task, self.thumbnail = drawn, task, thumbnail

    def advance(self, words: str) -> None:
        """Move the bar on, and show `words` beside it."""
        self.thumbnail.clear()
        self.drawn.update(self.task, advance=1, description=words)

    def within(self, event: ProgressEvent) -> None:
        """Show the share beside the method, and its picture by now below."""
        self.drawn.update(self.task, description=f"{event.method} {event.share:.0%}")
        if event.sketch is not None:
            self.thumbnail.draw(event.sketch)

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
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from artkit.cli.thumbnail import Thumbnail

    counting = [] if total is None or total < 2 else [BarColumn(), MofNCompleteColumn()]
    columns = [SpinnerColumn(), *counting, TimeElapsedColumn(), TextColumn("{task.description}", markup=False)]
    console = Console(stderr=True)
    drawn, thumbnail = Progress(*columns, console=console), Thumbnail(shown=console.color_system in PICTURESQUE)
    # Rich would send what is printed to stdout to the bar's stream, which is stderr.
    with Live(Group(drawn, thumbnail), console=console, transient=True, redirect_stdout=False, refresh_per_second=10):
        yield Bar(drawn, drawn.add_task(title, total=total), thumbnail)
