"""What a run may be told besides its pictures, checked: sizes, seeds, facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import index
from typing import Any

from artkit.errors import UsageError

_SIZE = re.compile(r"\s*([1-9][0-9]{0,6})(?:\s*[xX×]\s*([1-9][0-9]{0,6}))?\s*")


def parse_size(value: Any) -> tuple[int, int] | int:
    """Return (width, height) in pixels from a pair of whole numbers or text such as `512x384`; or the longest side.

    The latter from one number, or text with one. Raises UsageError for anything else.
    """
    if isinstance(value, str):
        match = _SIZE.fullmatch(value)
        sides = [int(side) for side in match.groups() if side] if match else []
    else:
        sides = [_whole(side) for side in (value if isinstance(value, list | tuple) else (value,))]
    alone = not isinstance(value, list | tuple) and len(sides) == 1
    if not (alone or len(sides) == 2) or min(sides) < 1:
        raise UsageError(f"{_shown(value)} is no size: give (width, height) in pixels, or text such as '512x384'.")
    return sides[0] if alone else (sides[0], sides[1])


def check_seed(value: Any) -> int:
    """Return a seed as an int. Raises UsageError for anything but a whole number from 0 up."""
    seed = _whole(value)
    if seed < 0:
        raise UsageError(f"seed={_shown(value)}: a seed is a whole number from 0 up.")
    return seed


def check_steady(value: Any) -> float | None:
    """Return how much a clip is to be steadied, as it is. Raises UsageError for anything but None and 0 to 1."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UsageError(f"steady={_shown(value)}: how much a clip is steadied is a number from 0 to 1.")
    return float(value)


def check_facts(value: Any) -> Mapping[str, str]:
    """Return facts as they are; none for None. Raises UsageError for anything but a table of text by name."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise UsageError(f"facts={_shown(value)}: facts are text by name, such as {{'time': 'dusk'}}.")
    return value


def _whole(value: Any) -> int:
    """Return a whole number of any kind (NumPy's too) as an int, and -1 for anything else, truth values included."""
    try:
        return -1 if isinstance(value, bool) else index(value)
    except (TypeError, ValueError):
        return -1


def _shown(value: Any) -> str:
    """Return a value as messages show it: in one line, and not all of a long one."""
    if isinstance(value, str | int | float | list | tuple | dict | type(None)):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return f"a {type(value).__name__}"
