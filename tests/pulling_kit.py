"""Pulling the one model of the test server, and what was noted and left meanwhile."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import web_kit
from artkit.models.fetching import Patience, Watcher
from artkit.models.pulling import Pulled, pull_model
from artkit.spec import ModelSpec

HASTE = Patience(connect=5, stall=0.2, pause=0)


class Diary(Watcher):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.seen: list[tuple[int, int | None]] = []

    def note(self, words: str) -> None:
        self.notes.append(words)

    def progress(self, done: int, total: int | None) -> None:
        self.seen.append((done, total))


def pull(web: web_kit.Web, spec: dict[str, Any] | None = None, **options: Any) -> Pulled:
    """Pull the model from the server."""
    facts = {"url": f"{web.url}/models/red.safetensors", "summary": "Paints it red.", "size": 80_000} | (spec or {})
    entry = ModelSpec(name="red", method="paint", **facts)
    return pull_model(entry, SimpleNamespace(models=[entry]), **{"patience": HASTE, **options})


def left(home: Path) -> set[str]:
    """List what lies in the data folder, but for the lock."""
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"}


STORED = {"models/paint/red.safetensors"}
