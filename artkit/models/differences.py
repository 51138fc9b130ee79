"""How the tensors a network needs differ from those a file has, in one line."""

from __future__ import annotations

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]


def describe_differences(needed: Shapes, found: Shapes, shown: int = 3) -> str:
    """Return `missing: a, b; unexpected: c; misshaped: d (3, 4) for (3, 5)`, `shown` of each kind; empty when equal."""
    problems = {
        "missing": [name for name in needed if name not in found],
        "unexpected": [name for name in found if name not in needed],
        "misshaped": [
            f"{name} {found[name]} for {shape}"
            for name, shape in needed.items()
            if name in found and found[name] != shape
        ],
    }
    return "; ".join(f"{kind}: {_first(names, shown)}" for kind, names in problems.items() if names)


def _first(names: list[str], shown: int) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
