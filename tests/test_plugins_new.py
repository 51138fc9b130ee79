"""`artkit plugins new`: packages that pass their own tests as they are written, whole or not at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from artkit.cli import main
from artkit.errors import OutputError, UsageError
from artkit.plugins import Registry, discovery, load_registry, scaffold
from artkit.plugins.scaffold import KINDS, LICENCES, check_name, render, write_plugin
from author_kit import ROOT, build_wheel, install_artkit, run_python, unpack

EMPTY = Registry()


@pytest.fixture
def new(tmp_path, monkeypatch, capsys):
    """Return a function that runs `artkit plugins new` in an empty folder, and gives its exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discovery, "_current", None)

    def run(*arguments):
        capsys.readouterr()
        code = main(["plugins", "new", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_its_own_tests_and_the_contract(kind, tmp_path):
    folder = write_plugin(f"fresh_{kind}", kind, "MIT", tmp_path, EMPTY)
    site = tmp_path / "site"
    install_artkit(site)
    unpack(build_wheel(folder, tmp_path / "dist"), site)
    done = run_python("-m", "pytest", "--artkit-contract", "-q", "-p", "no:cacheprovider", site=site, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    contract = {"filter": 4, "method": 4, "trainer": 5, "dataset": 1, "metric": 1}[kind]
    skipped = "1 skipped" if kind == "method" else ""  # its weights are its users'
    own = len(re.findall(r"^def test_", "".join(file.read_text() for file in folder.glob("tests/*.py")), re.MULTILINE))
    assert f"{own + contract - bool(skipped)} passed" in done.stdout, done.stdout
    assert skipped in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_reads_well(kind, tmp_path):
    for name in ("winter", "winter_photo_2"):
        write_plugin(name, kind, "MIT", tmp_path, EMPTY)
    rules = ["--config", str(ROOT / "pyproject.toml"), "--extend-ignore", "TID253"]
    for command in (["check", *rules, "--ignore", "D103,I001"], ["format", "--check", "--line-length", "120"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(tmp_path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("licence", LICENCES)
def test_the_licence_is_the_one_that_was_chosen(licence, new, tmp_path):
    code, out, _ = new("winter_photo", "--licence", licence, "-o", "deep/below", "--json")
    assert code == 0
    folder = Path(json.loads(out)["folder"])
    assert folder == Path("deep/below/artkit-winter-photo")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["license"] == licence
    assert project["entry-points"]["artkit"] == {"winter_photo": "artkit_winter_photo"}
    words = {"MIT": "MIT License", "Apache-2.0": "Apache", "BSD-3-Clause": "3. Neither", "GPL-3.0-or-later": "GNU"}
    assert words[licence] in (folder / "LICENSE").read_text()
    assert f"Licence: {licence}." in (folder / "README.md").read_text()


def test_the_folder_is_told_and_what_to_do_next(new, tmp_path):
    code, out, err = new("winter")
    assert (code, out) == (0, "artkit-winter\n")
    assert "artkit plugins check" in err
    assert [path.name for path in tmp_path.iterdir()] == ["artkit-winter"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Winter", "small letters.*Try 'winter'"),
        ("winter-photo", "Try 'winter_photo'"),
        ("../winter", "Try 'winter'"),
        ("win/ter", "Try 'win_ter'"),
        ("/tmp/x", "Try 'tmp_x'"),
        ("2winter", "Try 'winter'"),
        ("_winter", "Try 'winter'"),
        ("winter__photo", "Try 'winter_photo'"),
        ("класс", "cannot be a plugin's name"),
        ("", "cannot be a plugin's name"),
        ("class", "no word of Python's"),
        ("w" * 41, "up to 40"),
        ("winter\x1b[31m", "cannot be a plugin's name"),
        ("seed", "keeps for itself"),
        ("touchup", "a plugin 'touchup' already"),
        ("blur", "a method 'blur' already"),
        ("landscapes", "a dataset 'landscapes' already"),
        ("psnr", "a metric 'psnr' already"),
    ],
)
def test_names_that_will_not_do_are_refused_and_nothing_is_written(name, words, new, tmp_path):
    code, out, err = new("--", name)
    assert (code, out) == (2, "")
    assert re.search(words, err), err
    assert "\x1b" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_is_there_already_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "artkit_winter.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="module 'artkit_winter' is installed already"):
        check_name("winter", EMPTY)


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_nothing_is_overwritten(there, new, tmp_path):
    target = tmp_path / "artkit-winter"
    if there == "folder":
        target.mkdir()
    elif there == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "elsewhere")
    code, out, err = new("winter")
    assert (code, out) == (1, "")
    assert "artkit-winter exists, and nothing is overwritten" in err
    assert list(tmp_path.iterdir()) == [target]
    assert not (tmp_path / "elsewhere").exists()


def test_what_cannot_be_written_whole_is_not_there_at_all(tmp_path, monkeypatch):
    written = []

    def fill_disk(self, text, **how):
        written.append(self)
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        return self.write_bytes(text.encode())

    monkeypatch.setattr(Path, "write_text", fill_disk)
    with pytest.raises(OutputError, match="artkit-winter: the disk is full"):
        write_plugin("winter", "filter", "MIT", tmp_path, EMPTY)
    assert len(written) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_a_file_is_told(new, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = new("winter", "-o", "file")
    assert code == 1
    assert "Cannot make the folder file: a file has that name" in err


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"metric"}))
def test_recipes_are_what_artkit_reads(kind):
    text = render("winter", kind, "MIT")["recipes/winter.toml"]
    recipe = tomllib.loads(text)
    assert "winter" in recipe.get("method", "") + recipe.get("data", "") + recipe.get("chain", "")
    known = load_registry()
    if "method" in recipe and recipe["method"] in known.methods:
        from artkit.plugins import resolve
        from artkit.training.run import split_values

        spec = known.method(recipe.pop("method"))
        recipe.pop("data")
        split_values(spec, resolve(spec.trainer, spec.name), recipe)


def test_templates_name_nothing_that_is_not_filled_in():
    for kind in KINDS:
        for path, text in render("winter", kind, "MIT").items():
            assert "${" not in text, path
            assert "NAME" not in path
            assert "PACKAGE" not in path
    assert all(file.suffix == scaffold.SUFFIX for file in scaffold.TEMPLATES.rglob("*") if file.is_file())
