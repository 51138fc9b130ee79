"""The example of a third party's plugin: its wheel, installed, passes its own tests, and its tutorial is true."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import zipfile

import pytest

from artkit.cli import main
from artkit.plugins import discovery, load_registry, resolve
from artkit.plugins.scaffold import render
from artkit.testing.plugin import Given, plugin_checks
from artkit.training.run import split_values
from author_kit import ROOT, build_wheel, install_artkit, run_python

PROJECT = ROOT / "examples" / "plugin-colouriser"
PAGE = (ROOT / "docs" / "write-a-method.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the plugin's wheel."""
    return build_wheel(PROJECT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """Install the wheel with pip into a folder of its own, beside artkit."""
    folder = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        str(folder),
        str(wheel),
    ]
    subprocess.run(pip, check=True, timeout=120)
    install_artkit(folder)
    return folder


@pytest.fixture
def installed(site, monkeypatch):
    """Let this process see what is installed, and forget it afterwards."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(discovery, "_current", None)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "artkit_colouriser"]:
        del sys.modules[name]


def test_its_own_tests_pass_where_it_is_installed(site, tmp_path):
    (tmp_path / "tests").symlink_to(PROJECT / "tests")
    done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests", site=site, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE), done.stdout


def test_its_readme_names_its_options(installed, tmp_path):
    docs = (PROJECT / "README.md").read_text(encoding="utf-8")
    (check,) = [
        check
        for check in plugin_checks("colouriser", load_registry(), Given(tmp_path, docs=docs))
        if check.name == "docs"
    ]
    assert check.run() == []


def test_the_wheel_has_the_model_and_is_small(wheel):
    with zipfile.ZipFile(wheel) as archive:
        size = archive.getinfo("artkit_colouriser/weights/landscape.safetensors").file_size
        assert "artkit_colouriser/py.typed" in archive.namelist()
    assert 100_000 < size < 2**20


def test_its_recipe_holds_what_training_takes(installed):
    registry = load_registry()
    values = tomllib.loads((PROJECT / "recipes" / "colouriser-landscape.toml").read_text(encoding="utf-8"))
    spec = registry.method(values.pop("method"))
    assert values.pop("data")
    split_values(spec, resolve(spec.trainer, spec.name), values)


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


def test_the_tutorials_code_is_the_packages():
    shown = {}
    for language, file, text in BLOCK.findall(PAGE):
        if file:
            assert language == "python"
            shown[file] = shown.get(file, []) + lines(text)
    for file, code in shown.items():
        assert code == lines((PROJECT / file).read_text(encoding="utf-8")), file
    whole = {path.relative_to(PROJECT).as_posix() for path in PROJECT.glob("artkit_colouriser/*.py")}
    assert shown.keys() == whole


def test_the_package_began_as_the_tutorial_says():
    begun = render("colouriser", "trainer", "MIT")
    kept = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    (entry,) = [text for language, _, text in BLOCK.findall(PAGE) if language == "toml"]
    assert entry in begun["pyproject.toml"]
    assert entry in kept
    assert [line for line in lines(begun["pyproject.toml"]) if line not in lines(kept)] == [
        'description = "A method that trains for artkit."'
    ]
    written = {path.relative_to(PROJECT).as_posix() for path in PROJECT.rglob("*") if path.is_file()}
    kept_names = {path for path in begun if not path.startswith(("tests/test_training", "recipes/"))}
    assert kept_names <= written


def test_the_tutorials_commands_run(installed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [line for language, _, text in BLOCK.findall(PAGE) if language == "sh" for line in lines(text)]
    assert len(commands) == 5
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "artkit"
        assert main(words[1:]) == 0, command
