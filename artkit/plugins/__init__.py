"""Plugins: found through entry points and `--plugin FILE`, loaded in isolation, gathered in one registry."""

from __future__ import annotations

from artkit.plugins.current import registry, use_registry
from artkit.plugins.discovery import load_registry
from artkit.plugins.loaded import PluginInfo, PluginSource, Registry
from artkit.plugins.resolving import resolve

__all__ = ["PluginInfo", "PluginSource", "Registry", "load_registry", "registry", "resolve", "use_registry"]
