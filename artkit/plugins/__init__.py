"""Plugins: found through entry points and `--plugin FILE`, loaded in isolation, gathered in one registry."""

from __future__ import annotations

from artkit.plugins.discovery import current_registry, load_registry, methods, resolve, use_registry
from artkit.plugins.registry import PluginInfo, PluginSource, Registry

__all__ = [
    "PluginInfo",
    "PluginSource",
    "Registry",
    "current_registry",
    "load_registry",
    "methods",
    "resolve",
    "use_registry",
]
