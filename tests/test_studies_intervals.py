"""Intervals of studies as statistics has them, and what they say of a claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from artkit.studies import Interval, find_interval, judge


def test_interval_is_students():
    a, b = np.random.default_rng(0).normal(size=(2, 7))
    expected = ttest_rel(a, b).confidence_interval(0.95)
    found = find_interval([float(value) for value in a - b])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_one_value_has_an_interval_without_ends():
    assert find_interval([3.0]) == Interval(3.0, math.inf)


@pytest.mark.parametrize(
    ("low", "high", "expected", "answer"),
    [
        (-3, -1, "lower", "holds"),
        (-3, -1, "higher", "contradicted"),
        (1, 3, "higher", "holds"),
        (1, 3, "lower", "contradicted"),
        (-1, 3, "lower", "open"),
        (0, 2, "higher", "open"),
        (-2, 0, "lower", "open"),
    ],
)
def test_what_an_interval_says_of_a_claim(low, high, expected, answer):
    assert judge(Interval((low + high) / 2, (high - low) / 2), expected) == answer
