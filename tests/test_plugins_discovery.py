"""Plugins on disk: fake distributions with entry points, and single files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from artkit.errors import PluginError, UsageError
from artkit.plugins import PluginInfo, Registry, load_registry
from artkit.plugins.discovery import installed_sources

GOOD = """
    from artkit.hookspecs import hookimpl
    from artkit.spec import Kind, MethodSpec, Port

    @hookimpl
    def register_methods():
        return [MethodSpec(name="NAME", summary="s", inputs=(Port("image", Kind.IMAGE),), output=Kind.IMAGE,
                           translator=f"{__name__}:T", needs_model=False, api=API)]
"""

Install = Callable[..., None]


def good(name: str, api: int = 1) -> str:
    """Return the source of a plugin that registers one method."""
    return dedent(GOOD).replace("NAME", name).replace("API", str(api))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a fake distribution; only such ones, and no variables, are seen."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for variable in ("ARTKIT_PLUGINS", "ARTKIT_STRICT", "ARTKIT_TRACE"):
        monkeypatch.delenv(variable, raising=False)
    modules: list[str] = []

    def install_one(name: str, source: str, entry_points: str | None = None, distribution: str | None = None) -> None:
        modules.append(f"fake_{name}")
        (tmp_path / f"fake_{name}.py").write_text(dedent(source))
        distribution = distribution or f"dist-{name.replace('_', '-')}"
        folder = tmp_path / f"{distribution.replace('-', '_')}-1.5.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (folder / "entry_points.txt").write_text(entry_points or f"[artkit]\n{name} = fake_{name}\n")

    yield install_one
    for module in modules:
        sys.modules.pop(module, None)


def info(registry: Registry, name: str) -> PluginInfo:
    """Return one plugin of a registry."""
    return next(info for info in registry.plugins if info.name == name)


def test_good_plugin_is_listed_with_its_distribution(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("good", good("painting"))
    registry = load_registry()
    found = info(registry, "good")
    assert (found.distribution, found.version, found.hooks) == ("dist-good", "1.5", ("register_methods",))
    assert found.error is None
    assert found.seconds > 0
    assert registry.method("painting").summary == "s"
    assert registry.origin("painting") == "good"
    assert "good" not in capsys.readouterr().err


BROKEN = {
    "import_error": ("import no_such_library", ["ModuleNotFoundError", "no_such_library"]),
    "raises": ("raise RuntimeError('two\\nlines')", ["RuntimeError: two lines"]),
    "exits": ("import sys\nsys.exit(3)", ["SystemExit", "3"]),
    "syntax_error": ("def broken(:", ["SyntaxError", "fake_syntax_error.py"]),
    "misspelt": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef register_method(): return []",
        ["no hook 'register_method'", "'register_methods'"],
    ),
    "forgotten": ("def register_methods(): return []", ["register_methods()", "@artkit.hookimpl"]),
    "no_hooks": ("x = 1", ["no hook", "@artkit.hookimpl"]),
    "wrong_argument": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef before_step(index): pass",
        ["before_step() takes 'index', which the hook does not offer", "step"],
    ),
    "wrapper": (
        "from artkit.hookspecs import hookimpl\n@hookimpl(wrapper=True)\ndef before_step(step): yield",
        ["before_step()", "wrapper"],
    ),
    "hook_raises": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef register_methods(): raise ValueError('nope')",
        ["ValueError: nope"],
    ),
    "late": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef register_methods():\n  yield 1/0",
        ["ZeroDivisionError"],
    ),
    "returns_none": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef register_methods(): pass",
        ["register_methods()", "list of MethodSpec", "None"],
    ),
    "returns_text": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef register_models(): return 'abc'",
        ["register_models()", "list of ModelSpec", "str"],
    ),
    "returns_wrong_items": (
        "from artkit.hookspecs import hookimpl\n@hookimpl\ndef register_datasets(): return [7]",
        ["register_datasets()", "list of DatasetSpec", "int"],
    ),
    "too_new": (good("future", api=99), ["'future'", "99", "upgrade artkit"]),
    "bad_name": (good("class"), ["'class'", "plain word"]),
    "hyphen": (good("style-transfer"), ["'style-transfer'", "plain word"]),
    "own_seed": (good("painting").replace('"image"', '"seed"'), ["'painting'", "'seed'"]),
    "no_module": ("", ["names no module"]),
    "no_object": ("x = 1", ["AttributeError", "'plugin'"]),
}

ENTRY_POINTS = {"no_module": "[artkit]\nno_module\n", "no_object": "[artkit]\nno_object = fake_no_object:plugin\n"}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_costs_one_line_and_nothing_else(
    name: str, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    source, words = BROKEN[name]
    install("aaa", good("first"))
    install(name, source, entry_points=ENTRY_POINTS.get(name))
    install("zzz", good("last"))
    registry = load_registry()
    lines = [line for line in capsys.readouterr().err.splitlines() if f"dist-{name.replace('_', '-')} 1.5" in line]
    assert len(lines) == 1
    assert "artkit plugins" in lines[0]
    assert "?." not in lines[0]
    assert {"first", "last"} <= set(registry.methods)
    failed = info(registry, name)
    assert failed.hooks == ()
    assert failed.error is not None
    for word in words:
        assert word in failed.error
        assert word in lines[0]


def test_strict_raises_the_original_error(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("broken", "import no_such_library")
    monkeypatch.setenv("ARTKIT_PLUGINS", "broken")
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        load_registry()


def test_duplicate_method_is_refused_naming_both(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("one", good("painting"))
    install("two", good("painting"))
    registry = load_registry()
    error = info(registry, "two").error or ""
    assert "'painting'" in error
    assert "'one'" in error
    assert "'two'" in capsys.readouterr().err
    assert registry.origin("painting") == "one"


def test_entry_points_are_read_as_the_specification_says(install: Install) -> None:
    entry_points = (
        "[console_scripts]\nother = fake_one:main\n\n# a remark\n[artkit]\n; another\n"
        "first = fake_one\nsecond=fake_one:Inner.plugin [extra]\n[artkit.more]\nthird = fake_one\n"
    )
    second = (
        "class Inner:\n  class plugin:\n    before_step = staticmethod(hookimpl(specname='before_step')(lambda: 0))\n"
    )
    install("one", good("painting") + second, entry_points)
    registry = load_registry()
    assert registry.origin("painting") == "first"
    assert info(registry, "second").hooks == ("before_step",)
    found = [(source.name, source.distribution) for source in installed_sources() if source.version == "1.5"]
    assert found == [("first", "dist-one"), ("second", "dist-one")]


def test_agrees_with_the_standard_library() -> None:
    from importlib.metadata import entry_points

    expected = {(point.name, point.dist.name) for point in entry_points(group="artkit") if point.dist}
    assert {(source.name, source.distribution) for source in installed_sources()} == expected


def test_first_distribution_of_a_name_on_the_path_wins(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("one", good("painting"))
    older = tmp_path / "older" / "dist_one-1.0.dist-info"
    older.mkdir(parents=True)
    (older / "entry_points.txt").write_text("[artkit]\nold = fake_old\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(older.parent)])
    assert [s.name for s in installed_sources() if s.distribution == "dist-one"] == ["one"]


def test_artkits_own_plugins_come_first(install: Install) -> None:
    install("aaa", good("painting"))
    install("zzz", good("painting"), distribution="artkit-images")
    assert load_registry().origin("painting") == "zzz"


def test_two_plugins_of_one_name_are_told_apart(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("one", good("painting"))
    install("two", good("drawing"), entry_points="[artkit]\none = fake_two\n")
    registry = load_registry()
    err = capsys.readouterr().err
    assert "dist-one 1.5" in err
    assert "dist-two 1.5" in err
    assert "painting" in registry.methods
    assert "drawing" not in registry.methods


def test_method_of_a_failed_plugin_says_so(install: Install) -> None:
    install("dreams", "import no_such_library")
    registry = load_registry()
    with pytest.raises(UsageError, match=r"no method 'dreams'.*did not load.*no_such_library"):
        registry.method("dreams")
    with pytest.raises(UsageError, match=r"did not load.*'dreams'.*artkit plugins"):
        registry.method("nothing_like_it")


@pytest.mark.parametrize(("wanted", "expected"), [("one", {"one"}), ("one, two", {"one", "two"}), ("", set())])
def test_variable_restricts_plugins(
    wanted: str, expected: set[str], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("one", good("painting"))
    install("two", good("drawing"))
    install("bad", "import no_such_library")
    monkeypatch.setenv("ARTKIT_PLUGINS", wanted)
    loaded = {info.name for info in load_registry().plugins if info.distribution.startswith("dist-")}
    assert loaded == expected


def test_restricted_registry_says_so(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTKIT_PLUGINS", "")
    with pytest.raises(UsageError, match="ARTKIT_PLUGINS"):
        load_registry().method("semgan")


def test_variable_naming_an_unknown_plugin_warns(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARTKIT_PLUGINS", "absent")
    load_registry()
    assert "'absent', which is not installed" in capsys.readouterr().err


def test_plugin_file_loads_under_its_own_name(tmp_path: Path, install: Install) -> None:
    file = tmp_path / "folder" / "my_painter.py"
    file.parent.mkdir()
    file.write_text(good("mine"))
    registry = load_registry((file,))
    assert registry.method("mine").translator == "my_painter:T"
    assert registry.origin("mine") == "my_painter"
    del sys.modules["my_painter"]


def test_plugin_file_must_not_hide_a_module(
    tmp_path: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "folder" / "colorsys.py"
    file.parent.mkdir()
    file.write_text(good("mine"))
    registry = load_registry((file,))
    assert "rename the file" in (info(registry, "colorsys").error or "")
    assert "mine" not in registry.methods


def test_broken_plugin_file_is_reported_like_others(tmp_path: Path, install: Install) -> None:
    file = tmp_path / "my_broken.py"
    file.write_text("import no_such_library")
    assert "no_such_library" in (info(load_registry((file,)), "my_broken").error or "")
    assert "my_broken" not in sys.modules


@pytest.mark.parametrize(("name", "word"), [("absent.py", "no such file"), ("my-method.py", "name the file")])
def test_plugin_file_that_cannot_be_one(name: str, word: str, tmp_path: Path) -> None:
    if name.startswith("my"):
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match=word):
        load_registry((tmp_path / name,))


def test_resolve_imports_or_names_the_plugin(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    from artkit.plugins import resolve

    install("lazy", "class Outer:\n  inner = 7")
    install("heavy", "import no_such_library")
    assert resolve("fake_lazy:Outer.inner", "lazy") == 7
    with pytest.raises(PluginError, match=r"'heavy'.*fake_heavy:T.*no_such_library"):
        resolve("fake_heavy:T", "heavy")
    with pytest.raises(PluginError, match=r"'lazy'.*Absent"):
        resolve("fake_lazy:Absent", "lazy")
    with pytest.raises(PluginError, match=r"package\.module:name"):
        resolve("fake_lazy", "lazy")
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(ModuleNotFoundError):
        resolve("fake_heavy:T", "heavy")


def test_rooms_are_import_light() -> None:
    code = (
        "import sys, artkit.plugins, artkit.chain, artkit.hookspecs, artkit.spec\n"
        "print([m for m in ('torch', 'numpy', 'PIL', 'skimage', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
