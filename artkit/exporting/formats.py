"""The formats that a network can be exported to."""

from __future__ import annotations

from pathlib import Path

from artkit.errors import UsageError

FORMATS = {"onnx": ".onnx", "pt2": ".pt2", "torchscript": ".pt"}
"""Each format, and how the names of its files end."""


def format_of(file: Path, asked: str | None) -> str | None:
    """Return the format that is asked for, or that a file's name says; None for neither.

    Raises UsageError where they contradict each other.
    """
    by_name = next((name for name, suffix in FORMATS.items() if file.suffix.lower() == suffix), None)
    if asked and by_name and asked != by_name:
        raise UsageError(
            f"--format {asked} and {file} contradict each other: name the file {file.stem}{FORMATS[asked]}."
        )
    return asked or by_name
