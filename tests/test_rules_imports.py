"""The import rules: core knows no plugin, plugins know only public names, a room knows only the floors below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = {path.parent.name for path in ROOT.glob("plugins/*/__init__.py")}
CORE_FILES = sorted(ROOT.glob("artkit/**/*.py"))
PLUGIN_FILES = sorted(ROOT.glob("plugins/*/**/*.py"))

# The rooms of artkit, ground floor first.
FLOORS = [
    "errors",
    "seeds",
    "files",
    "buckets",
    "reporting",
    "spec",
    "hookspecs",
    "plugins",
    "images",
    "clips",
    "motion",
    "nn",
    "translator",
    "data",
    "models",
    "chain",
    "engine",
    "exporting",
    "pairing",
    "metrics",
    "runs",
    "training",
    "studies",
    "testing",
    "studio",
    "cli",
    "__main__",
]

# The one import upwards, as (module, imported module): `artkit.Chain(...)(picture)` happens when called.
UPWARD = ("artkit.chain.steps", "artkit.engine.local")

# Rooms whose modules plugins may use; the rest of core is reached through `artkit` itself.
PUBLIC = {
    *("errors", "seeds", "files", "reporting", "spec", "images", "models"),
    *("nn", "motion", "translator", "data", "metrics", "training", "testing"),
    *("plugins", "chain", "engine"),  # touchup's trainer runs a chain
}


class Import(NamedTuple):
    """One imported module and, for `from module import name`, the name."""

    line: int
    module: str
    name: str | None


def imports_of(path: Path) -> Iterator[Import]:
    """List every import in a file, at any depth, relative ones made absolute."""
    package = path.relative_to(ROOT / "plugins" if "plugins" in path.relative_to(ROOT).parts[:1] else ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (Import(node.lineno, module, alias.name) for alias in node.names)


def module_file(module: str) -> Path | None:
    """Return the file of a module of artkit, if it is one."""
    base = ROOT / Path(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def module_of(path: Path) -> str:
    """Return the dotted name of a file of core; a package's `__init__.py` has the package's name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(imported: Import) -> str | None:
    """Return the room of core that an import reaches; `artkit` for a name that the package itself hands out."""
    parts = imported.module.split(".")
    if parts[0] != "artkit":
        return None
    if len(parts) > 1:
        return parts[1]
    return imported.name if imported.name and module_file(f"artkit.{imported.name}") else "artkit"


def exported(path: Path) -> set[str] | None:
    """Return the names that a module hands out, by its stub or its literal `__all__`; None when it says nothing."""
    if (stub := path.with_suffix(".pyi")).is_file():
        body = ast.parse(stub.read_text(encoding="utf-8")).body
        return {alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return {item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant)}
    return None


def fault_in_core(module: str, imported: Import) -> str | None:
    """Say what is wrong with an import in a module of core."""
    if imported.module.split(".")[0] in PLUGINS:
        return "core imports a plugin"
    room, own = room_of(imported), module.split(".")[1]
    if room is None or room == own or imported.name == "__version__":
        return None
    if room not in FLOORS:
        return "import from the room itself, not through the package" if room == "artkit" else f"no floor for '{room}'"
    if FLOORS.index(room) > FLOORS.index(own) and (module, imported.module) != UPWARD:
        return f"'{own}' is below '{room}'"
    return None


def fault_in_plugin(plugin: str, imported: Import) -> str | None:
    """Say what is wrong with an import in a module of a plugin."""
    if imported.module.split(".")[0] in PLUGINS - {plugin}:
        return "a plugin imports another plugin"
    room = room_of(imported)
    if room is None:
        return None
    if any(part.startswith("_") for part in [*imported.module.split("."), imported.name or ""]):
        return "private to artkit"
    if room != "artkit" and room not in PUBLIC:
        return f"artkit.{room} is not public: use what `artkit` itself hands out"
    path = module_file(imported.module)
    if path is None:
        return "no such module"
    names = exported(path)
    submodule = module_file(f"{imported.module}.{imported.name}")
    if imported.name and names is not None and imported.name not in names and not submodule:
        return f"not in {imported.module}.__all__"
    return None


def report(path: Path, imported: Import, fault: str) -> str:
    """Format one fault as an editor can open it."""
    name = f"{imported.module}.{imported.name}" if imported.name else imported.module
    return f"{path.relative_to(ROOT)}:{imported.line}: {name}: {fault}"


def test_core_imports_only_from_floors_below():
    faults = [
        report(path, imported, fault)
        for path in CORE_FILES
        if (module := module_of(path)) != "artkit"
        for imported in imports_of(path)
        if (fault := fault_in_core(module, imported))
    ]
    assert not faults, "\n".join(faults)


def test_every_room_has_a_floor():
    rooms = {module_of(path).split(".")[1] for path in CORE_FILES if "." in module_of(path)}
    assert rooms <= set(FLOORS)


def imported_files(path: Path) -> set[Path]:
    """Return the files of the house that a file imports, lazily or for type checkers too, but for the one arrow."""
    found = set()
    for imported in imports_of(path):
        if (module_of(path), imported.module) == UPWARD:
            continue
        submodule = module_file(f"{imported.module}.{imported.name}") if imported.name else None
        found.add(submodule or home_of(imported))
    return {file for file in found if file and file != path}


def home_of(imported: Import) -> Path | None:
    """Return the file that a name comes from: for one that a package hands out, the module that its stub names."""
    path = module_file(imported.module)
    if path is None or path.name != "__init__.py" or imported.name is None:
        return path
    stub = path.with_suffix(".pyi") if path.with_suffix(".pyi").is_file() else path
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and imported.name in {alias.name for alias in node.names}:
            module = f"{imported.module}.{node.module}" if node.level else str(node.module)
            return home_of(Import(0, module, imported.name))
    return path


def circles(graph: dict[Path, set[Path]]) -> list[list[Path]]:
    """Return the groups of files that reach each other."""

    def reachable(start: Path) -> set[Path]:
        seen: set[Path] = set()
        todo = [start]
        while todo:
            new = graph.get(todo.pop(), set()) - seen
            seen |= new
            todo.extend(new)
        return seen

    reach = {path: reachable(path) for path in graph}
    groups = {frozenset({path} | {other for other in reach[path] if path in reach.get(other, ())}) for path in graph}
    return [sorted(group) for group in groups if len(group) > 1]


def test_no_files_import_each_other():
    """No circles, of top-level, lazy or type-only imports; `Chain.__call__` to the engine is the one arrow allowed."""
    graph = {path: imported_files(path) for path in [*CORE_FILES, *PLUGIN_FILES]}
    found = [[str(path.relative_to(ROOT)) for path in group] for group in circles(graph)]
    assert not found, "\n".join(map(str, found))


def public_homes() -> dict[str, set[Path | None]]:
    """Return, for each name that a room hands out, the files that it comes from in one room or another."""
    homes: dict[str, set[Path | None]] = {}
    for path in CORE_FILES:
        if path.name == "__init__.py":
            for name in exported(path) or ():
                homes.setdefault(name, set()).add(home_of(Import(0, module_of(path), name)))
    return homes


def test_no_two_rooms_have_a_public_name_for_different_things():
    twins = {name: files for name, files in public_homes().items() if len(files) > 1}
    assert not twins


def test_circles_are_found():
    a, b, c, d = map(Path, "abcd")
    assert circles({a: {b}, b: {c}, c: {a}, d: {a}}) == [[a, b, c]]


def test_plugins_import_only_public_names():
    faults = [
        report(path, imported, fault)
        for path in PLUGIN_FILES
        for imported in imports_of(path)
        if (fault := fault_in_plugin(path.relative_to(ROOT / "plugins").parts[0], imported))
    ]
    assert not faults, "\n".join(faults)


def test_core_has_no_back_door_to_a_plugin():
    """No string in core names a built-in plugin's module, so that all arrive through entry points."""
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for path in CORE_FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.split(":")[0].split(".")[0] in PLUGINS
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("module", "imported", "fault"),
    [
        ("artkit.chain.plan", Import(1, "artkit.models.store", "find_model"), None),
        ("artkit.chain.steps", Import(1, "artkit.engine.local", "run_chain"), None),
        ("artkit.chain.recipe", Import(1, "artkit.engine.local", "run_chain"), "'chain' is below 'engine'"),
        ("artkit.models.store", Import(1, "artkit.chain", "Chain"), "'models' is below 'chain'"),
        ("artkit.models.store", Import(1, "artkit.attic", "Old"), "no floor for 'attic'"),
        ("artkit.cli", Import(1, "artkit", "Chain"), "import from the room itself, not through the package"),
        ("artkit.cli", Import(1, "artkit", "__version__"), None),
        ("artkit.cli", Import(1, "pathlib", "Path"), None),
    ],
)
def test_core_rule_catches(module, imported, fault):
    assert fault_in_core(module, imported) == fault


@pytest.mark.parametrize(
    ("imported", "fault"),
    [
        (Import(1, "artkit.spec", "Port"), None),
        (Import(1, "artkit.spec", None), None),
        (Import(1, "artkit.spec", "Struct"), "not in artkit.spec.__all__"),
        (Import(1, "artkit.spec", "_type_name"), "private to artkit"),
        (Import(1, "artkit.cli", "main"), "artkit.cli is not public: use what `artkit` itself hands out"),
        (Import(1, "artkit.nn.nowhere", "Block"), "no such module"),
        (Import(1, "torch", "nn"), None),
    ],
)
def test_plugin_rule_catches(imported, fault):
    assert fault_in_plugin("artkit_example", imported) == fault
