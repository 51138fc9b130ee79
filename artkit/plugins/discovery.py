"""Plugin discovery: entry points of installed distributions and single files, and the registry of this process."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from artkit import __version__
from artkit.errors import PluginError, UsageError
from artkit.plugins.registry import PluginSource, Registry
from artkit.reporting import one_line, strict, warn

if TYPE_CHECKING:
    from artkit.spec import MethodSpec

GROUP = "artkit"
OWN_DISTRIBUTION = "artkit-images"


def installed_sources() -> list[PluginSource]:
    """List the installed plugins without importing them: artkit's own first, then by name."""
    distributions: dict[str, list[PluginSource]] = {}
    for folder in dict.fromkeys(sys.path):
        for info in _info_folders(folder or "."):
            name, version = _name_and_version(info)
            # The first of a name on the path is the one that Python imports.
            if name not in distributions:
                distributions[name] = _sources_in(os.path.join(folder, info, "entry_points.txt"), name, version)
    sources = [source for found in distributions.values() for source in found]
    return sorted(sources, key=lambda source: (source.distribution != OWN_DISTRIBUTION, source.name))


def _info_folders(folder: str) -> list[str]:
    """List the `NAME-VERSION.dist-info` and `.egg-info` of a folder of the path, which may be no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return []


def _name_and_version(info: str) -> tuple[str, str]:
    """Return what `NAME-VERSION.dist-info` says, or `NAME-VERSION[-PYTHON].egg-info`."""
    name, _, version = info.rpartition(".")[0].partition("-")
    return name.replace("_", "-").lower(), version.partition("-")[0]


def _sources_in(file: str, distribution: str, version: str) -> list[PluginSource]:
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError):
        return []
    return [PluginSource(name, importer(reference), distribution, version) for name, reference in _entries(text)]


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Read the lines `name = package.module:object [extras]` of our group."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif group == GROUP and line and line[0] not in "#;":
            name, _, reference = line.partition("=")
            yield name.strip(), reference.partition("[")[0].strip()


def importer(reference: str) -> Callable[[], object]:
    """Return a function that imports `package.module` or `package.module:object`."""

    def load() -> object:
        module, _, path = reference.partition(":")
        if not module:
            raise PluginError("its entry point names no module: write NAME = MODULE")
        return reduce(getattr, path.split(".") if path else (), importlib.import_module(module))

    return load


def resolve(reference: str, owner: str) -> Any:
    """Return the object that `reference` (`"package.module:name"`) names.

    Raises PluginError naming `owner`, the plugin that wrote the reference, when it cannot be imported; with
    `ARTKIT_STRICT=1` the original error instead.
    """
    module_name, _, name = reference.partition(":")
    if not (module_name and name):
        raise PluginError(f"Plugin '{owner}' names '{reference}', which is not of the form 'package.module:name'.")
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        if strict():
            raise
        message = f"Plugin '{owner}': {reference} cannot be imported: {one_line(error)}. ARTKIT_STRICT=1 shows where."
        raise PluginError(message) from error
    return found


def load_registry(plugin_files: tuple[Path, ...] = ()) -> Registry:
    """Load the installed plugins, then the given files, into a new registry.

    `ARTKIT_PLUGINS=a,b` restricts the installed ones (empty: none); files are always loaded. Raises UsageError for a
    plugin file that is not there; a plugin that fails is reported and left out (see Registry.add).
    """
    files = [file_source(path) for path in plugin_files]
    registry = Registry(tuple(path.resolve() for path in plugin_files))
    registry.add(PluginSource("artkit", importer("artkit.metrics.builtin"), OWN_DISTRIBUTION, __version__))
    for source in [*_selected(installed_sources()), *files]:
        registry.add(source)
    return registry


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


_current: Registry | None = None


def current_registry() -> Registry:
    """Return the registry of this process, loading the installed plugins on the first call."""
    global _current
    if _current is None:
        _current = load_registry()
    return _current


def methods() -> dict[str, MethodSpec]:
    """Return the methods of all plugins by name: their ports, their options, and what they do.

    artkit.methods()["nst"].summary
    """
    return dict(sorted(current_registry().methods.items()))


def use_registry(replacement: Registry | None) -> None:
    """Make `replacement` the registry of this process; None means: load the installed plugins when next asked."""
    global _current
    _current = replacement
