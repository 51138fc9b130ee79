"""Finding plugins: entry points of installed distributions, and single files."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from artkit import __version__
from artkit.errors import PluginError, UsageError
from artkit.hookspecs import hookimpl
from artkit.plugins.installed import OWN_DISTRIBUTION, installed_sources
from artkit.plugins.loaded import PluginSource, Registry
from artkit.plugins.reporting import warn

if TYPE_CHECKING:
    from artkit.spec import MetricSpec


def load_registry(plugin_files: tuple[Path, ...] = ()) -> Registry:
    """Load the installed plugins, then the given files, into a new registry.

    `ARTKIT_PLUGINS=a,b` restricts the installed ones (empty: none); files are always loaded. Raises UsageError for a
    plugin file that is not there; a plugin that fails is reported and left out (see Registry.add).
    """
    files = [file_source(path) for path in plugin_files]
    registry = Registry()
    registry.add(PluginSource("artkit", lambda: _Core, OWN_DISTRIBUTION, __version__))
    for source in [*_selected(installed_sources()), *files]:
        registry.add(source)
    return registry


class _Core:
    """What artkit registers itself, as plugins do: the metrics."""

    @staticmethod
    @hookimpl
    def register_metrics() -> list[MetricSpec]:
        from artkit.metrics import METRICS

        return list(METRICS)


def _selected(sources: list[PluginSource]) -> list[PluginSource]:
    wanted = os.environ.get("ARTKIT_PLUGINS")
    if wanted is None:
        return sources
    names = {name.strip() for name in wanted.split(",")} - {""}
    for name in sorted(names - {source.name for source in sources}):
        warn(f"ARTKIT_PLUGINS names '{name}', which is not installed.")
    return [source for source in sources if source.name in names]


def file_source(path: Path) -> PluginSource:
    """Return the plugin in a single Python file, named after it. Raises UsageError when there is no such file."""
    if not path.is_file():
        raise UsageError(f"--plugin {path}: there is no such file.")
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise UsageError(f"--plugin {path}: name the file like a Python module, such as my_method.py.")
    return PluginSource(path.stem, lambda: _import_file(path.resolve()), str(path))


def _import_file(path: Path) -> ModuleType:
    """Import a file as the module named after it, so that `"my_method:Class"` finds its classes."""
    known = importlib.util.find_spec(path.stem) if path.stem not in sys.modules else sys.modules[path.stem].__spec__
    if known is not None and (known.origin is None or Path(known.origin).resolve() != path):
        raise PluginError(f"a module '{path.stem}' exists already: rename the file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise PluginError("Python cannot import it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module
