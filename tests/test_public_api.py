"""The stated API: no public name goes, or comes, without a line in docs/public_names.txt."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from artkit import hookspecs
from artkit.plugins.checks import HOOK_NAMES
from test_rules_imports import PLUGIN_FILES, imports_of, module_file

ROOT = Path(__file__).parents[1]
LISTED = (ROOT / "docs" / "public_names.txt").read_text(encoding="utf-8").split("\n")
NAMES = {line for line in LISTED if line.startswith("artkit.")}
HOOKS = {line.removeprefix("hook ") for line in LISTED if line.startswith("hook ")}
ROOMS = (
    *("artkit", "artkit.chain", "artkit.data", "artkit.engine", "artkit.images", "artkit.metrics", "artkit.models"),
    *("artkit.models.foreign", "artkit.nn", "artkit.plugins", "artkit.spec", "artkit.testing", "artkit.training"),
)
"""Those whose `__all__` is public; single names of other modules are listed too."""
GOES = "A public name goes only after a version that warned of it, see docs/api.md: put it back. After that, take it"


def gone(names: set[str]) -> list[str]:
    """Return those of the names that lead to nothing."""
    split = {name: name.rpartition(".") for name in names}
    return sorted(name for name, (module, _, last) in split.items() if not hasattr(import_module(module), last))


def test_no_public_name_is_gone():
    missing = gone(NAMES)
    assert not missing, f"{GOES} out of docs/public_names.txt:\n" + "\n".join(missing)


def test_every_public_name_is_listed():
    handed_out = {f"{room}.{name}" for room in ROOMS for name in import_module(room).__all__}
    new = sorted(handed_out - NAMES)
    assert not new, "New public names, to be kept from now on: add these lines to docs/public_names.txt:\n" + "\n".join(
        new
    )


def test_hooks_keep_their_arguments():
    offered = {f"{name}({', '.join(inspect.signature(getattr(hookspecs, name)).parameters)})" for name in HOOK_NAMES}
    assert offered == HOOKS, (
        "Hooks gain arguments and never lose any: write what they offer now into docs/public_names.txt"
    )


def used_by_plugins() -> dict[str, str]:
    """Return each name of artkit that a built-in plugin imports, and where."""
    return {
        f"{imported.module}.{imported.name}": f"{path.relative_to(ROOT)}:{imported.line}"
        for path in PLUGIN_FILES
        for imported in imports_of(path)
        if imported.module.split(".")[0] == "artkit" and imported.name
        if not module_file(f"{imported.module}.{imported.name}")
    }


def test_the_built_in_plugins_use_nothing_that_others_are_not_promised():
    faults = {name: where for name, where in used_by_plugins().items() if name not in NAMES}
    assert not faults, "Used by a built-in plugin, and not public: list it in docs/public_names.txt, or do without"


def test_the_list_is_in_order_and_the_page_names_its_modules():
    lines = [line for line in LISTED if line and not line.startswith("#")]
    assert lines == sorted(set(lines))
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for module in {name.rpartition(".")[0] for name in NAMES}:
        assert f"`{module}`" in page, module


def test_the_page_says_which_api_this_is():
    from artkit.spec.methods import API_VERSION

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.search(rf"It is {API_VERSION} now", page)


@pytest.mark.parametrize("name", ["artkit.Chian", "artkit.nn.SubpixelNets"])
def test_a_name_that_goes_is_noticed(name):
    assert gone({"artkit.Chain", name}) == [name]
