"""Where an engine enters each pass: whoever watches sees it, and a run that was killed goes on after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from artkit.translator import Bookmark

Sketch = Callable[[], Tensor]
"""The picture as it would be if the work ended now."""


def _unseen(share: float, sketch: Sketch | None = None) -> None:
    """Let it pass."""


@dataclass(frozen=True)
class Journal:
    """The journal of one picture; `engine` names all that its states depend on and the step's options do not say."""

    progress: Callable[[float, Sketch], None] = _unseen
    bookmark: Bookmark = field(default_factory=Bookmark)
    engine: str = ""

    def last(self) -> dict[str, Any] | None:
        """Return the state that an earlier run entered last, if it was of the same engine."""
        state = self.bookmark.read()
        return state if state is not None and state.get("engine") == self.engine else None

    def enter(self, share: float, sketch: Sketch, state: Callable[[], dict[str, Any]]) -> None:
        """Enter a pass: the share that is done, what is to be seen, and all that the rest of the work depends on."""
        self.progress(share, sketch)
        self.bookmark.write(lambda: {"engine": self.engine, **state()})

    def seen_through(self, change: Callable[[Tensor], Tensor]) -> Journal:
        """Return the journal for work whose picture is changed once more in the end."""
        return replace(self, progress=lambda share, sketch: self.progress(share, lambda: change(sketch())))

    def prelude(self, part: float) -> Journal:
        """Return the journal for the first `part` of the work, which is done again when a run goes on there."""
        return replace(self, progress=lambda share, sketch: self.progress(part * share, sketch), bookmark=Bookmark())
