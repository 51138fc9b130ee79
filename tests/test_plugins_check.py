"""`artkit plugins check` and `pytest --artkit-contract`: a plugin's faults, each with the page that says what to do."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from artkit.cli import main
from artkit.plugins import Registry, discovery
from artkit.plugins.project import read_project
from artkit.plugins.scaffold import write_plugin
from artkit.testing.plugin import Check
from author_kit import ROOT, install_artkit, run_python
from cli_kit import forget_module
from test_startup import COMPUTE, GUARD

PLAIN = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.fixture
def project(tmp_path):
    """Write the package of a new filter, for tests to break."""
    return write_plugin("frail", "filter", "MIT", tmp_path, Registry())


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Return a function that runs `artkit plugins check`, and gives its exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discovery, "_current", None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("artkit_frail", "artkit_frail.translator"):
        forget_module(monkeypatch, name)
    monkeypatch.setenv("ARTKIT_PLUGINS", "filters,superres")

    def run(*arguments):
        capsys.readouterr()
        code = main(["plugins", "check", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def change(project, file, old, new):
    """Exchange some of a file's text."""
    path = project / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_sound_folder_passes(check, project):
    code, out, _ = check(project)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["method", "frail", name, "ok"] for name in ("declaration", "code", "behaviour", "docs")
    ]


def test_the_folder_at_hand_is_checked_and_each_fault_has_its_page(check, project, monkeypatch):
    change(project, "artkit_frail/__init__.py", 'summary="Take colour out of a picture."', 'summary=""')
    change(project, "artkit_frail/__init__.py", "from typing import", "import numpy\nfrom typing import")
    change(project, "artkit_frail/translator.py", "image.mean(1, keepdim=True)", "image.mean()")
    change(project, "README.md", "strength", "force")
    monkeypatch.chdir(project)
    code, out, _ = check()
    assert code == 1
    for heading, fault in {
        "declaration": "the method has no summary",
        "code": "importing artkit_frail also imports",
        "behaviour": "image at 16x16: picture 0 depends on the rest of its batch",
        "docs": "the option 'strength' is named neither in README.md nor in docs/",
    }.items():
        part = out.partition(f"To mend in method frail, by docs/contract.md#{heading}:\n")[2].partition("\n\n")[0]
        assert fault in part


def test_a_plugin_that_does_not_load_is_told_with_its_error(check, project):
    (project / "artkit_frail" / "__init__.py").write_text("import no_such_library")
    code, out, _ = check(project, "--json")
    (record,) = json.loads(out)
    assert (code, record["subject"], record["check"]) == (1, "plugin frail", "declaration")
    assert "no_such_library" in record["faults"][0]


def test_an_installed_plugin_goes_by_its_name_or_a_method_of_its(check):
    code, out, _ = check("superres", "--set", "width=4", "--set", "blocks=1", "--json")
    records = {(record["subject"], record["check"]): record for record in json.loads(out)}
    assert code == 0
    assert ("method superres", "training") in records
    assert ("metric psnr_y", "metrics") in records
    assert ("model superres/sharp", "models") in records
    assert ("method superres", "docs") not in records
    assert check("blur")[1].count("method blur ") == 3


def test_a_plugin_that_offers_nothing_says_so(check, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[project.entry-points.artkit]\nquiet = "artkit_quiet"\n')
    (tmp_path / "artkit_quiet.py").write_text("import artkit\n@artkit.hookimpl\ndef before_step(step): pass\n")
    forget_module(monkeypatch, "artkit_quiet")
    code, out, _ = check(".")
    assert (code, out) == (
        0,
        "It offers nothing that the contract is about: no methods, models, datasets or metrics.\n",
    )


def test_a_method_without_a_model_is_given_one(check, tmp_path, monkeypatch):
    import torch

    folder = write_plugin("frail", "method", "MIT", tmp_path, Registry())
    for name in ("importing", "networks"):
        forget_module(monkeypatch, f"artkit_frail.{name}")
    code, out, _ = check(folder)
    assert code == 0
    assert "not checked: it has no model to run with: --model FILE" in out
    tensors = {"enter.weight": torch.rand(2, 3, 3, 3), "enter.bias": torch.rand(2)}
    tensors |= {"leave.weight": torch.rand(3, 2, 3, 3), "leave.bias": torch.rand(3)}
    torch.save(tensors, tmp_path / "weights.pth")
    code, out, _ = check(folder, "--model", tmp_path / "weights.pth")
    assert (code, "not checked" in out) == (0, False)


@pytest.mark.parametrize(
    ("target", "text", "words"),
    [
        ("frial", None, "no plugin, method or folder 'frial'"),
        (".", None, "pyproject.toml cannot be read.*artkit plugins new NAME"),
        (".", "[project", "is not valid TOML"),
        (".", "project = 3", "names no plugin: write"),
        (".", "[project.entry-points]\nartkit = 'x'", "names no plugin"),
    ],
)
def test_targets_that_will_not_do(check, tmp_path, target, text, words):
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    code, out, err = check(target)
    assert (code, out) == (2, "")
    assert re.search(words, err), err


def test_a_folder_is_not_taken_for_what_is_installed_from_elsewhere(check, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project.entry-points.artkit]\nfilters = "artkit_filters"\n')
    code, _, err = check(".")
    assert code == 2
    assert "the plugin 'filters' is loaded from" in err


def test_pytest_runs_the_contract_beside_the_projects_own_tests(project, tmp_path):
    install_artkit(tmp_path / "site")
    change(project, "artkit_frail/translator.py", "image.mean(1, keepdim=True)", "image.mean()")
    for file in (project / "tests").iterdir():
        file.unlink()
    (project / "tests" / "test_mine.py").write_text("def test_mine(): pass\n")
    done = run_python(*PLAIN, "--artkit-contract", site=tmp_path / "site", cwd=project)
    assert done.returncode == 1
    assert "1 failed, 4 passed" in done.stdout
    assert "- image at 16x16: picture 0 depends on the rest of its batch" in done.stdout
    assert "To mend: docs/contract.md#behaviour" in done.stdout
    assert "Traceback" not in done.stdout
    plain = run_python(*PLAIN, site=tmp_path / "site", cwd=project)
    assert (plain.returncode, "1 passed" in plain.stdout) == (0, True)


def test_pytest_says_what_a_project_without_a_plugin_lacks(tmp_path):
    install_artkit(tmp_path / "site")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'plain'\n")
    done = run_python(*PLAIN, "--artkit-contract", site=tmp_path / "site", cwd=tmp_path)
    assert done.returncode == 4
    assert "--artkit-contract: " in done.stderr
    assert "names no plugin" in done.stderr


def test_pytest_starts_without_what_computes(tmp_path):
    install_artkit(tmp_path / "site")
    (tmp_path / "test_mine.py").write_text(
        "import sys\ndef test_mine(): assert 'artkit.testing.pytest_plugin' in sys.modules\n"
    )
    code = GUARD.format(heavy=(*COMPUTE, "numpy", "PIL")) + "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    done = run_python(
        "-c",
        code,
        *PLAIN[2:],
        "-c",
        "/dev/null",
        "--rootdir",
        ".",
        "test_mine.py",
        site=tmp_path / "site",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_check_has_its_heading_in_the_docs():
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    source = (ROOT / "artkit" / "testing" / "plugin.py").read_text(encoding="utf-8")
    names = set(re.findall(r'yield Check\([^)]*?, "(\w+)"', source.replace("{spec.method}/{spec.name}", "x")))
    assert names == {"declaration", "code", "training", "behaviour", "docs", "models", "datasets", "metrics"}
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", page, re.MULTILINE)}
    assert names == headings
    assert Check("method x", "docs", list).page == "docs/contract.md#docs"


def test_a_projects_docs_are_its_readme_and_its_pages(project):
    (project / "docs" / "deep").mkdir(parents=True)
    (project / "docs" / "deep" / "page.md").write_text("the page")
    found = read_project(project)
    assert (found.name, found.version, dict(found.plugins)) == ("artkit-frail", "0.1.0", {"frail": "artkit_frail"})
    assert "the page" in found.docs
    assert "strength" in found.docs


def test_the_entry_point_of_pytest_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"artkit": "artkit.testing.pytest_plugin"}
    assert Path(ROOT / "artkit" / "testing" / "pytest_plugin.py").is_file()
