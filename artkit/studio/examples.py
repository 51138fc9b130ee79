"""Pictures to begin with: a label map that comes with the studio, and photos that come with scikit-image."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from artkit.studio.answers import ExampleInfo


@dataclass(frozen=True)
class Example:
    """An example: its file, in `pictures/` here or in another package's folder."""

    name: str
    file: str
    kind: Literal["image", "labels"]
    summary: str
    classes: str | None = None
    package: str | None = None


EXAMPLES = (
    Example("lake", "lake.png", "labels", "A lake between hills, with a house and a path.", classes="landscapes"),
    Example("coffee", "coffee.png", "image", "A cup of coffee (Pikolo Espresso Bar, CC0).", package="skimage.data"),
    Example("cat", "chelsea.png", "image", "Chelsea the cat (Stefan van der Walt, CC0).", package="skimage.data"),
    Example("rocket", "rocket.jpg", "image", "A rocket on its launch pad (SpaceX, CC0).", package="skimage.data"),
)


def list_examples() -> list[ExampleInfo]:
    """Return the examples that are there."""
    return [
        ExampleInfo(one.name, one.kind, one.classes, one.summary, f"/api/examples/{one.name}")
        for one in EXAMPLES
        if _file(one) is not None
    ]


def read_example(name: str) -> tuple[bytes, str] | None:
    """Return an example's bytes and their media type; None where there is no such example."""
    for one in EXAMPLES:
        file = _file(one) if one.name == name else None
        if file is not None:
            return file.read_bytes(), "image/png" if file.suffix == ".png" else "image/jpeg"
    return None


def _file(example: Example) -> Path | None:
    if example.package is None:
        file = Path(__file__).with_name("pictures") / example.file
    else:
        package = example.package.partition(".")
        found = importlib.util.find_spec(package[0])
        if found is None or found.origin is None:
            return None
        file = Path(found.origin).parent / package[2] / example.file
    return file if file.is_file() else None
