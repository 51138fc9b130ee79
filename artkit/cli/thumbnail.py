"""The picture at work, small, below a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from artkit.images import Picture

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
