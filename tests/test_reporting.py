"""What is said to people, in their words."""

from __future__ import annotations

import pytest

from artkit.reporting import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (123, "2:03"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (93784, "26:03:04"),
    ],
)
def test_durations_are_told_in_minutes_and_in_hours_where_there_are_any(seconds, said):
    assert duration(seconds) == said
