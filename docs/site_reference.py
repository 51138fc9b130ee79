"""Reference pages of the site, written anew at every build: methods from their specs, the API from its docstrings."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

from artkit.files import write_atomically
from artkit.plugins import load_registry
from artkit.spec import MethodSpec, describe_options

HERE = Path(__file__).parent
PAGES = HERE / "reference"


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.add_lexer("chain", TextLexer)
    app.connect("builder-inited", lambda _: write_pages(PAGES))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(folder: Path) -> None:
    """Write a page of all methods, and one for each module that others may import from."""
    folder.mkdir(exist_ok=True)
    specs = sorted(load_registry().methods.values(), key=lambda spec: (spec.heading, spec.name))
    write_page(folder / "methods.md", ["# Methods", "", *map(describe_method, specs)])
    names = [name.rpartition(".")[::2] for name in public_names()]
    for module in sorted({module for module, _ in names}):
        sections = [describe_name(module, name) for place, name in names if place == module]
        write_page(folder / f"{module}.md", [f"# `{module}`", "", *sections])


def write_page(path: Path, lines: list[str]) -> None:
    """Write a page, in place of that of the last build."""
    write_atomically(path, "\n".join(lines).encode(), overwrite=True)


def public_names() -> list[str]:
    """Return the names that others may rely on."""
    lines = (HERE / "public_names.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "hook "))]


def describe_method(spec: MethodSpec) -> str:
    """Return a section: what a method does, takes and gives, and its options."""
    lines = [f"## {spec.name}", "", spec.summary, "", f"Gives: {spec.output}.", ""]
    if spec.inputs:
        rows = [(f"`{port.name}`", str(port.kind), port.summary) for port in spec.inputs]
        lines += [*table(("port", "kind", "what"), rows), ""]
    options = describe_options(spec.options)
    if options:
        rows = [(f"`{one.name}={told(one.default)}`", one.type, one.summary) for one in options]
        lines += [*table(("option", "values", "does"), rows), ""]
    return "\n".join(lines)


def told(value: Any) -> str:
    """Return a default as it is typed."""
    return "" if value is None else str(value)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return a Markdown table."""
    cells = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def describe_name(module: str, name: str) -> str:
    """Return a section: how a public name is called, and its docstring."""
    found = getattr(import_module(module), name)
    lines = [f"## `{name}`", ""]
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        return "\n".join([*lines, f"A constant: {type(found).__name__}.", ""])
    lines += ["```text", f"{name}{signature_of(found)}", "```", "", inspect.getdoc(found) or "", ""]
    return "\n".join(lines)


def signature_of(found: Any) -> str:
    """Return how something is called; nothing where Python cannot tell."""
    try:
        return str(inspect.signature(found))
    except (TypeError, ValueError):
        return ""
