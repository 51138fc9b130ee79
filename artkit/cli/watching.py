"""A training run on the terminal: a bar with losses, pictures a second and the time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.cli.progress import on_terminal

if TYPE_CHECKING:
    from rich.progress import Progress

    from artkit.training import Reporter


@contextmanager
def watch() -> Iterator[Reporter]:
    """Return who reports the run: a bar on a terminal, else nobody (the run's own log has it all)."""
    if not on_terminal():
        from artkit.training import Silence

        yield Silence()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as bar:
        yield Watcher(bar)


class Watcher:
    """A reporter (see artkit.training.Reporter) that draws on a progress bar."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.task = bar.add_task("starting", total=None)

    def start(self, total: int, done: int) -> None:
        """Set the bar's length, and what a resumed run has behind it."""
        self.bar.update(self.task, total=total, completed=done)

    def tick(self, step: int) -> None:
        """Move the bar on."""
        self.bar.update(self.task, completed=step)

    def step(self, step: int, losses: dict[str, float], images_per_second: float, eta: float) -> None:
        """Show speed, the time left, and the losses, which a narrow terminal cuts off."""
        words = "  ".join(f"{name} {value:.3g}" for name, value in losses.items())
        speed = f"{images_per_second:.3g} images/s  {_duration(eta)} left"
        self.bar.update(self.task, completed=step, description=f"{speed}  {words}")

    def sheet(self, path: Path) -> None:
        """Point to a sample sheet."""
        self.note(f"samples: {path}")

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(text, markup=False, highlight=False)

    def end(self, path: Path) -> None:
        """Say nothing: the command prints the model's path."""


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
