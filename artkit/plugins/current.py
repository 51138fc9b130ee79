"""The registry of this process: loaded once, on first use."""

from __future__ import annotations

from artkit.plugins.discovery import load_registry
from artkit.plugins.loaded import Registry

_current: Registry | None = None


def registry() -> Registry:
    """Return the registry of this process, loading the installed plugins on the first call."""
    global _current
    if _current is None:
        _current = load_registry()
    return _current


def use_registry(replacement: Registry | None) -> None:
    """Make `replacement` the registry of this process; None means: load the installed plugins when next asked."""
    global _current
    _current = replacement
