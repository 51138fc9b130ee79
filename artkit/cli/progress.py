"""Progress on stderr: a bar while artkit works, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[str], None]


def on_terminal() -> bool:
    """Return True when progress has someone to watch it: stderr is a terminal."""
    return sys.stderr.isatty()


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Advance]:
    """Show a bar (a spinner without `total`) while the block runs; call the result with a few words to advance it.

    Nothing is shown, and rich is not imported, unless stderr is a terminal. The bar disappears in the end.
    """
    if not on_terminal():
        yield lambda words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    counting = [] if total is None or total < 2 else [BarColumn(), MofNCompleteColumn()]
    columns = [SpinnerColumn(), TextColumn("{task.description}"), *counting, TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda words: bar.update(task, advance=1, description=words)
