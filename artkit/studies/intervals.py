"""Means with their intervals, and what they say about a claim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Literal

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and half the width of its confidence interval, which is infinite for a single value."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half


def find_interval(values: Sequence[float]) -> Interval:
    """Return the mean and Student's interval (`LEVEL`) of values that were drawn independently. ValueError for none."""
    if not values:
        raise ValueError("an interval needs at least one value")
    if len(values) == 1:
        return Interval(values[0], math.inf)
    from scipy.stats import t  # a second's import

    return Interval(
        mean(values), float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    )


Answer = Literal["holds", "contradicted", "open"]


def judge(difference: Interval, expected: Literal["lower", "higher"]) -> Answer:
    """Say whether a difference of scores, arm less the one beside it, bears the claim out: open where it holds zero."""
    if difference.low <= 0 <= difference.high:
        return "open"
    return "holds" if (difference.mean < 0) == (expected == "lower") else "contradicted"
