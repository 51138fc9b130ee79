"""Faults as the kit tells them: gathered where they are found, and all of them in one AssertionError."""

from __future__ import annotations

from collections.abc import Iterator

from artkit.reporting import one_line


def gathered(faults: Iterator[str], where: str = "") -> list[str]:
    """Return the faults, and what a plugin's code raised while they were looked for as the last of them."""
    found = []
    try:
        for fault in faults:
            found.append(where + fault)
    except Exception as error:  # a plugin's code may raise anything
        found.append(f"{where}it raised {one_line(error)}")
    return found


def refuse(subject: str, faults: list[str]) -> None:
    """Raise AssertionError that lists the faults, unless there are none."""
    if faults:
        raise AssertionError("\n".join([f"{subject} breaks the contract:", *(f"- {fault}" for fault in faults)]))
