"""What a training run tells whoever watches: a protocol, and a silent watcher."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Reporter(Protocol):
    """Someone who watches a run; the command line shows a progress bar with it."""

    def start(self, total: int, done: int) -> None:
        """Say how many steps there are, and how many a resumed run has behind it."""

    def tick(self, step: int) -> None:
        """Say after every step how many are done."""

    def step(self, step: int, losses: dict[str, float], images_per_second: float, eta: float) -> None:
        """Report mean losses since the last report, speed, and the seconds left."""

    def sheet(self, path: Path) -> None:
        """Point to a sample sheet just written."""

    def note(self, text: str) -> None:
        """Say something once: the device, the networks' sizes, a warning."""

    def end(self, path: Path) -> None:
        """Point to the exported model."""


class NullReporter:
    """A reporter that says nothing."""

    def start(self, total: int, done: int) -> None:
        """See Reporter."""

    def tick(self, step: int) -> None:
        """See Reporter."""

    def step(self, step: int, losses: dict[str, float], images_per_second: float, eta: float) -> None:
        """See Reporter."""

    def sheet(self, path: Path) -> None:
        """See Reporter."""

    def note(self, text: str) -> None:
        """See Reporter."""

    def end(self, path: Path) -> None:
        """See Reporter."""
