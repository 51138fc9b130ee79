"""Time for a picture's sizes: planned by what a step costs at each, as measured while working."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

Size = tuple[int, int]


class Clock:
    """Counts steps, `steps[i]` at `sizes[i]`, in no more than `seconds` (None: as long as it takes).

    `spent` seconds are gone already. Sizes share the time by pixels and steps.
    """

    def __init__(self, seconds: float | None, sizes: Sequence[Size], steps: Sequence[int], spent: float = 0.0) -> None:
        self.seconds, self.sizes, self.steps = seconds, sizes, steps
        self.share = 0.0
        self._start = time.monotonic() - spent
        self._pace: float | None = None  # seconds a step takes for each pixel
        costs = [height * width * count for (height, width), count in zip(sizes, steps, strict=True)]
        self._ends = [sum(costs[: number + 1]) / sum(costs) for number in range(len(costs))]

    @property
    def spent(self) -> float:
        """Seconds that are gone."""
        return time.monotonic() - self._start

    def affords(self, number: int) -> bool:
        """Tell whether one step at size `number` will end in time, by what steps took so far; the first always does."""
        if self.seconds is None or self._pace is None:
            return True
        height, width = self.sizes[number]
        return self.spent + self._pace * height * width <= self.seconds

    def count(self, number: int, done: int = 0) -> Iterator[int]:
        """Count steps at size `number` from `done` on, one at least, until there are enough or its time is used up.

        `share` tells, when a step is counted, how much of the whole work is done after it.
        """
        height, width = self.sizes[number]
        before = self._ends[number - 1] if number else 0.0
        for step in range(done, self.steps[number]):
            begin = time.monotonic()
            self.share = before + (self._ends[number] - before) * (step + 1) / self.steps[number]
            yield step
            self._pace = (time.monotonic() - begin) / (height * width)
            if self.seconds is not None and self.spent > self.seconds * self._ends[number]:
                return
