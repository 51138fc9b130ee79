"""A plugin's project on disk: what its `pyproject.toml` names, taken as it lies there, installed or not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artkit.errors import UsageError
from artkit.plugins.discovery import GROUP, importer
from artkit.plugins.registry import PluginSource, Registry

PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True)
class Project:
    """A folder with a `pyproject.toml` that names plugins: their entry points, by name, and the project's own name."""

    folder: Path
    name: str
    version: str
    plugins: Mapping[str, str]

    @property
    def docs(self) -> str:
        """What its README and the pages in `docs/` say."""
        pages = [*sorted(self.folder.glob("README*")), *sorted(self.folder.glob("docs/**/*.md"))]
        return "\n".join(page.read_text(encoding="utf-8", errors="replace") for page in pages if page.is_file())


def read_project(folder: Path) -> Project:
    """Read which plugins a folder's `pyproject.toml` names. Raises UsageError where there is none, or it names none."""
    import tomllib

    file = folder / PROJECT_FILE
    try:
        with file.open("rb") as stream:
            table = tomllib.load(stream).get("project")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}. A new plugin: artkit plugins new NAME") from None
    except ValueError as error:
        raise UsageError(f"{file} is not valid TOML: {error}.") from None
    table = table if isinstance(table, dict) else {}
    plugins = _table(_table(table, "entry-points"), GROUP)
    if not plugins:
        raise UsageError(f"{file} names no plugin: write [project.entry-points.{GROUP}] and below it NAME = 'MODULE'.")
    named = {str(name): str(reference) for name, reference in plugins.items()}
    return Project(folder, str(table.get("name", folder.name)), str(table.get("version", "")), named)


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def load_project(project: Project, registry: Registry) -> None:
    """Load a project's plugins into `registry`, from their folder, unless they are installed from there already.

    Raises UsageError for one whose module is another's, or is installed from elsewhere.
    """
    known = {info.name for info in registry.plugins}
    root = project.folder.resolve()
    for folder in (root, root / "src"):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    for name, reference in project.plugins.items():
        if name not in known:
            registry.add(PluginSource(name, importer(reference), project.name, project.version))
        module = sys.modules.get(reference.partition(":")[0])
        file = getattr(module, "__file__", None)
        if file is not None and root not in Path(file).resolve().parents:
            raise UsageError(f"the plugin '{name}' is loaded from {file}, not from {root}: pip install -e {root}")
