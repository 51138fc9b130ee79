"""A new plugin's package, written from the templates beside this file: whole, or not at all."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
from datetime import date
from pathlib import Path
from string import Template

from artkit import __version__
from artkit.errors import OutputError, UsageError
from artkit.files import make_folder, writing
from artkit.plugins.checks import CORE_OPTIONS
from artkit.plugins.registry import Registry

KINDS = {
    "filter": "A filter",
    "method": "A method that runs a network trained elsewhere",
    "trainer": "A method that trains",
    "dataset": "A dataset",
    "metric": "A score",
}
"""What can be begun with, and what to call it in a sentence."""
LICENCES = ("MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-or-later")
TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".in"  # so that neither linters nor type checkers take a template for code
LONGEST = 40


def write_plugin(name: str, kind: str, licence: str, parent: Path, registry: Registry) -> Path:
    """Write the package of a new plugin into the folder `artkit-NAME` of `parent`, and return that folder.

    Raises UsageError for a name that will not do, OutputError where the folder exists or cannot be written.
    """
    check_name(name, registry)
    folder = parent / f"artkit-{name.replace('_', '-')}"
    if os.path.lexists(folder):
        raise OutputError(
            f"{folder} exists, and nothing is overwritten: choose another name, or another place with -o."
        )
    make_folder(parent)
    part = parent / f".{folder.name}.{os.urandom(4).hex()}.part"
    try:
        with writing(folder):
            for path, text in render(name, kind, licence).items():
                (part / path).parent.mkdir(parents=True, exist_ok=True)
                (part / path).write_text(text, encoding="utf-8")
            part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return folder


def check_name(name: str, registry: Registry) -> None:
    """Raise UsageError unless a plugin may be called so: a plain word that nothing has yet."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > LONGEST or keyword.iskeyword(name):
        fitting = "_".join(re.findall(r"[a-z0-9]+", name.lower()))[:LONGEST].strip("_").lstrip("0123456789_")
        hint = f" Try '{fitting}'." if fitting and fitting != name else ""
        raise UsageError(
            f"'{name}' cannot be a plugin's name: up to {LONGEST} small letters and digits, words joined by '_', no "
            f"word of Python's.{hint}"
        )
    plugins = [plugin.name for plugin in registry.plugins]
    known = {"plugin": plugins, "method": registry.methods, "dataset": registry.datasets, "metric": registry.metrics}
    for what, names in known.items():
        if name in names:
            raise UsageError(f"there is a {what} '{name}' already: choose another name.")
    if name in CORE_OPTIONS:
        raise UsageError(f"'{name}' is a word that artkit keeps for itself: choose another name.")
    if importlib.util.find_spec(f"artkit_{name}") is not None:
        raise UsageError(f"a module 'artkit_{name}' is installed already: choose another name.")


def render(name: str, kind: str, licence: str) -> dict[str, str]:
    """Return the files of a plugin's package: their text by their path in its folder."""
    words = {
        "name": name,
        "package": f"artkit_{name}",
        "distribution": f"artkit-{name.replace('_', '-')}",
        "title": "".join(word.capitalize() for word in name.split("_")),
        "words": name.replace("_", " ").capitalize(),
        "kind_words": KINDS[kind],
        "licence": licence,
        "year": str(date.today().year),
        "artkit": ".".join(__version__.split(".")[:2]),
    }
    files = {"LICENSE": (TEMPLATES / "licences" / f"{licence}{SUFFIX}").read_text(encoding="utf-8")}
    for folder in (TEMPLATES / "every", TEMPLATES / kind):
        for file in sorted(folder.rglob(f"*{SUFFIX}")):
            path = file.relative_to(folder).as_posix().removesuffix(SUFFIX)
            files[path.replace("PACKAGE", words["package"]).replace("NAME", name)] = file.read_text(encoding="utf-8")
    return {path: Template(text).substitute(words) for path, text in files.items()}
