"""Plugins of one file that tests write, and translators of what they have trained for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from artkit import Translator
from artkit.plugins import current_registry, load_registry, use_registry
from artkit.training import Trainer
from cli_kit import forget_module


def write_plugin(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a plugin that the next test may write anew."""
    forget_module(monkeypatch, path.stem)
    path.write_text(text)
    return path


@contextmanager
def plugins(*files: Path) -> Iterator[None]:
    """Know the installed plugins and those in `files`, and no others, while the block runs."""
    before = current_registry()
    use_registry(load_registry(files))
    try:
        yield
    finally:
        use_registry(before)


def translator_of(trainer: Trainer, kind: type[Translator], options: Any) -> Translator:
    """Return what a trainer has by now, ready to translate."""
    header, tensors = trainer.export()
    made = kind(options, header)
    made.load_state_dict(tensors)
    return made.eval()
