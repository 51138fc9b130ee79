"""Progress on a terminal: bars, the picture at work as a thumbnail, training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.cli.output import echo
from artkit.reporting import clean, duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.text import Text

    from artkit.engine.step import ProgressEvent
    from artkit.images import Picture
    from artkit.training import Reporter


COLUMNS, ROWS = 40, 16  # characters it may take
PAUSE = 0.5  # seconds between two drawings, at least
COST = 0.05  # share of the time that drawing may take


class Thumbnail:
    """Draws sketches now and then: a step may offer more of them than there is time for.

    Where it is not `shown`, because the terminal has too few colours, it draws nothing.
    """

    def __init__(self, *, shown: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self.text: Text | None = None
        self._shown, self._clock, self._next = shown, clock, 0.0

    def draw(self, sketch: Callable[[], Picture]) -> None:
        """Draw what `sketch` returns, unless the last drawing is too near."""
        from artkit.images.terminal import half_blocks

        start = self._clock()
        if self._shown and start >= self._next:
            self.text = half_blocks(sketch(), COLUMNS, ROWS)
            end = self._clock()
            self._next = end + max(PAUSE, (end - start) / COST)

    def clear(self) -> None:
        """Show nothing: another picture begins."""
        self.text = None

    def __rich_console__(self, console: object, options: object) -> Iterator[Text]:
        """Yield what rich is to draw now."""
        if self.text is not None:
            yield self.text


PICTURESQUE = ("256", "truecolor")  # colour systems of terminals that can show a picture


class NullBar:
    """Progress that nobody watches: nothing but results appears."""

    def advance(self, words: str) -> None:
        """Count one piece of work done; `words` say what was last worked on."""

    def within(self, event: ProgressEvent) -> None:
        """Say how much of the present piece of work is done."""

    def write(self, line: str) -> None:
        """Print a line of results to stdout, past the bar."""
        echo(line)


class Bar(NullBar):
    """Progress drawn by rich."""

    def __init__(self, drawn: Progress, task: TaskID, thumbnail: Thumbnail) -> None:
        self.drawn, self.task, self.thumbnail = drawn, task, thumbnail

    def advance(self, words: str) -> None:
        """Move the bar on, and show `words` beside it."""
        self.thumbnail.clear()
        self.drawn.update(self.task, advance=1, description=clean(words))

    def within(self, event: ProgressEvent) -> None:
        """Show the share beside the method, and its picture by now below."""
        self.drawn.update(self.task, description=f"{event.method} {event.share:.0%}")
        if event.sketch is not None:
            self.thumbnail.draw(event.sketch)

    def write(self, line: str) -> None:
        """Print a line to stdout; where that is the bar's own terminal, above the bar."""
        if sys.stdout.isatty():
            self.drawn.console.print(clean(line), markup=False, highlight=False, soft_wrap=True)
        else:
            echo(line)


def on_terminal() -> bool:
    """Return True when progress has someone to watch it: stderr is a terminal."""
    return sys.stderr.isatty()


@contextmanager
def progress(title: str, total: int | None = None, *, hidden: bool = False) -> Iterator[NullBar]:
    """Show a bar (a spinner for fewer than two pieces of work) while the block runs; it disappears in the end.

    Nothing is shown, and rich is not imported, when `hidden` or when stderr is no terminal.
    """
    if hidden or not on_terminal():
        yield NullBar()
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    counting = [] if total is None or total < 2 else [BarColumn(), MofNCompleteColumn()]
    left = [TimeRemainingColumn()] if counting else []
    columns = [SpinnerColumn(), *counting, TimeElapsedColumn(), *left, TextColumn("{task.description}", markup=False)]
    console = Console(stderr=True)
    drawn, thumbnail = Progress(*columns, console=console), Thumbnail(shown=console.color_system in PICTURESQUE)
    # Rich would send what is printed to stdout to the bar's stream, which is stderr.
    with Live(Group(drawn, thumbnail), console=console, transient=True, redirect_stdout=False, refresh_per_second=10):
        yield Bar(drawn, drawn.add_task(clean(title), total=total), thumbnail)


@contextmanager
def training_progress() -> Iterator[Reporter]:
    """Return who reports the run: a bar on a terminal, else nobody (the run's own log has it all)."""
    if not on_terminal():
        from artkit.training import NullReporter

        yield NullReporter()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as bar:
        yield TrainingProgress(bar)


class TrainingProgress:
    """A reporter (see artkit.training.Reporter) that draws on a progress bar, from the first step on."""

    def __init__(self, bar: Progress, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.bar = bar
        self.task = bar.add_task("starting", total=None)
        self._clock = clock
        self._total = self._first = 0
        self._begun = 0.0
        self._losses = ""

    def start(self, total: int, done: int) -> None:
        """Set the bar's length, and what a resumed run has behind it."""
        self._total, self._first, self._begun = total, done, self._clock()
        self.bar.update(self.task, total=total, completed=done, description="the first step")

    def tick(self, step: int) -> None:
        """Move the bar on, and show the mean time of a step, and what is left."""
        seconds = (self._clock() - self._begun) / max(step - self._first, 1)
        pace = f"{seconds:.2g} s a step" if seconds > 1 else f"{1 / max(seconds, 1e-9):.3g} steps/s"
        words = f"{pace}  {duration(seconds * (self._total - step))} left  {self._losses}"
        self.bar.update(self.task, completed=step, description=words.rstrip())

    def step(self, step: int, losses: dict[str, float], images_per_second: float, eta: float) -> None:
        """Keep the losses, which stand last: a narrow terminal cuts them off."""
        self._losses = "  ".join(f"{name} {value:.3g}" for name, value in losses.items())

    def sheet(self, path: Path) -> None:
        """Point to a sample sheet."""
        self.note(f"samples: {path}")

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(clean(text), markup=False, highlight=False)

    def end(self, path: Path) -> None:
        """Say nothing: the command prints the model's path."""
