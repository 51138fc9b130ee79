"""A job: one picture that somebody asked for, from the queue to what became of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from artkit.errors import ArtkitError
from artkit.studio.answers import RecipeInfo


class State(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True when nothing more will happen."""
        return self not in (State.QUEUED, State.RUNNING)


class Stopped(ArtkitError):
    """A job whose computing ends at once, with nothing to show."""


class Work(Protocol):
    """What a job computes."""

    @property
    def nbytes(self) -> int:
        """How many bytes of pictures it holds while it waits."""

    def compute(self, job: Job) -> bytes:
        """Return the PNG; tell `job` of progress and heed it, which raises where the work is to end.

        Raises ArtkitError.
        """

    def drop(self) -> None:
        """Let go of the pictures it was given: it is over."""

    def recipe(self) -> RecipeInfo:
        """Return how to make the picture again."""


@dataclass(eq=False)
class Job:
    """A picture that `client` asked for. The desk alone changes its state; whoever computes it calls `tell`
    and `heed`.

    `preview` is for a look: the next one of the same client takes its place, which is the one with a greater `turn`: it
    says in which order clients asked. `share` is how much of the work is done. `cancels` counts how often its end was
    asked for: the first time a step that has something to show ends with it, as at Ctrl-C; the second time, or where it
    is `hurried` (which says why), nothing is kept. `steps` is what each step says of what it made. `fault` is for an
    error that is nobody's but the program's.
    """

    work: Work
    client: str
    preview: bool = False
    turn: int = 0
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: State = State.QUEUED
    share: float = 0.0
    step: str | None = None
    error: str | None = None
    fault: bool = False
    picture: bytes | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    sketch: bytes | None = None
    sketches: int = 0
    cancels: int = 0
    heeded: int = 0
    hurried: str | None = None
    deadline: float = float("inf")
    began: float = 0.0
    ended: float = 0.0
    watchers: list[Callable[[], None]] = field(default_factory=list)

    def tell(self, share: float, step: str | None = None) -> None:
        """Note how far the work has come, and wake those who watch. Raises what `heed` raises."""
        self.share, self.step = share, step or self.step
        self.heed()
        self.wake()

    def heed(self) -> None:
        """Let the work end here, if it is to.

        Raises KeyboardInterrupt where the job was cancelled, once, so that what there is to show is kept; Stopped where
        it is to end with nothing.
        """
        if self.hurried or self.cancels > 1:
            raise Stopped(self.hurried or "cancelled")
        if time.monotonic() > self.deadline:
            raise Stopped("it took longer than this studio lets a picture take: ask for a smaller one.")
        if self.cancels > self.heeded:
            self.heeded = self.cancels
            raise KeyboardInterrupt

    def wake(self) -> None:
        """Tell those who watch that something changed."""
        for watcher in list(self.watchers):
            watcher()

    @property
    def seconds(self) -> float | None:
        """How long computing took, or takes by now; None while the job waits."""
        if not self.began:
            return None
        return (self.ended or time.monotonic()) - self.began

    @property
    def nbytes(self) -> int:
        """How many bytes of pictures it keeps."""
        return len(self.picture or b"") + len(self.sketch or b"")
