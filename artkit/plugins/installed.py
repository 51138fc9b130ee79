"""The installed plugins, as the `entry_points.txt` files beside installed packages name them.

Format: the entry points specification of the Python Packaging Authority. `importlib.metadata` reads it too, but
importing that (with email, zipfile and socket) takes a third of the time of `artkit --help`. Distributions inside zip
files are not read here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path

from artkit.errors import PluginError
from artkit.plugins.loaded import PluginSource

GROUP = "artkit"
OWN_DISTRIBUTION = "artkit-images"


def installed_sources() -> list[PluginSource]:
    """List the installed plugins without importing them: artkit's own first, then by name."""
    distributions: dict[str, list[PluginSource]] = {}
    for folder in dict.fromkeys(sys.path):
        for file in sorted(Path(folder or ".").glob("*.*-info/entry_points.txt")):
            name, version = _name_and_version(file.parent)
            # The first of a name on the path is the one that Python imports.
            distributions.setdefault(name, _sources_in(file, name, version))
    sources = [source for found in distributions.values() for source in found]
    return sorted(sources, key=lambda source: (source.distribution != OWN_DISTRIBUTION, source.name))


def _name_and_version(folder: Path) -> tuple[str, str]:
    """Return what `NAME-VERSION.dist-info` says, or `NAME-VERSION[-PYTHON].egg-info`."""
    name, _, version = folder.stem.partition("-")
    return name.replace("_", "-").lower(), version.partition("-")[0]


def _sources_in(file: Path, distribution: str, version: str) -> list[PluginSource]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [PluginSource(name, _importer(reference), distribution, version) for name, reference in _entries(text)]


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Read the lines `name = package.module:object [extras]` of our group."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif group == GROUP and line and line[0] not in "#;":
            name, _, reference = line.partition("=")
            yield name.strip(), reference.partition("[")[0].strip()


def _importer(reference: str) -> Callable[[], object]:
    """Return a function that imports `package.module` or `package.module:object`."""

    def load() -> object:
        module, _, path = reference.partition(":")
        if not module:
            raise PluginError("its entry point names no module: write NAME = MODULE")
        return reduce(getattr, path.split(".") if path else (), importlib.import_module(module))

    return load
